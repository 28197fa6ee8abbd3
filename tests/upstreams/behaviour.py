"""The knobs of the emulated FHIR server, and how they stand for each system."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class Paging(StrEnum):
    """What a next link looks like."""

    ABSOLUTE = "absolute"  # {base}/Patient?…&page=2
    RELATIVE = "relative"  # Patient?…&page=2
    QUERY_ONLY = "query-only"  # ?…&page=2
    OTHER_PATH = "other-path"  # /pages/{cursor} at the origin, outside the FHIR base
    GETPAGES = "getpages"  # {base}?_getpages=…&_getpagesoffset=…, without resource type (HAPI)
    CT = "ct"  # {base}/Patient?ct=… of 3 KB (Microsoft)
    PAGE_CONTEXT = "pageContext"  # {base}/Patient?…&pageContext=…&direction=NEXT (Oracle)
    CURSOR = "cursor"  # {base}/Patient?…&cursor=… (athenahealth)
    CONTINUE = "continue"  # {base}/Patient?…&continue=… (MEDITECH)
    PAGE_TOKEN = "_page_token"  # {base}/Patient?…&_page_token=… (Google)
    SESSION = "sessionID"  # {base}/Patient?sessionID=…, which ends with the server's session (Epic)
    FOREIGN = "foreign"  # another origin
    LOOP = "loop"  # the page that it stands on
    NONE = "none"  # no next link, though there is more


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How an emulated server behaves. The defaults are a well-behaved R4 server that can do everything.

    - `page_size`, `max_page_size`: results per page without and with `_count`; `counts`: whether `_count` is known
    - `sort`: whether `_sort` is followed; else Encounters come in `order`, everything else in the order of the data
    - `contains`: `:contains` works, is refused with 400, or is ignored (then the whole parameter is)
    - `strings`: plain string parameters match beginnings
    - `total`: said always, never, only with `_total=accurate`, or wrong by 1000 until the last page
    - `post_search`: works, is refused with 405 or 400, or its body is ignored
    - `refused`: parameters per type that get a 400
    - `open_metadata`: the capability statement names the token endpoint, to anybody; else the SMART configuration does
    - `bare_identifiers`: whether `identifier=value` finds anybody; else it takes `identifier=system|value`
    - `ignored`: parameters that do not narrow the results, as with lenient servers
    - `repeats`: the last result of a page comes again on the next
    - `outcome`: every searchset holds an outcome entry
    - `gzip`: answers are compressed when the client accepts that
    - `content_type`: of every answer
    - `wanted_headers`, `wanted_parameters`: a request without any of them, or with one of these parameters twice, gets
      a 403
    - `token`: every request but to the token endpoint needs a bearer token of `{origin}/oauth2/token`
    """

    version: Literal["dstu2", "stu3", "r4"] = "r4"
    base_path: str = "/fhir"
    page_size: int = 10
    max_page_size: int = 1000
    counts: bool = True
    paging: Paging = Paging.ABSOLUTE
    sort: bool = True
    order: Literal["newest-first", "oldest-first", "shuffled"] = "shuffled"
    contains: Literal["native", "refused", "ignored"] = "native"
    total: Literal["native", "absent", "on-request", "estimate"] = "native"
    post_search: Literal["works", "405", "400", "body-ignored"] = "works"
    refused: Mapping[str, frozenset[str]] = field(default=MappingProxyType({}))
    open_metadata: bool = False
    bare_identifiers: bool = True
    ignored: frozenset[str] = frozenset()
    repeats: bool = False
    outcome: bool = False
    gzip: bool = True
    content_type: str = "application/fhir+json; charset=utf-8"
    wanted_headers: Mapping[str, str] = field(default=MappingProxyType({}))
    wanted_parameters: Mapping[str, str] = field(default=MappingProxyType({}))
    token: bool = False


def _refused(**parameters: str) -> Mapping[str, frozenset[str]]:
    return MappingProxyType({name: frozenset(words.split()) for name, words in parameters.items()})


_MICROSOFT = Behaviour(paging=Paging.CT, total="on-request", base_path="")
_HAPI = Behaviour(paging=Paging.GETPAGES, total="on-request")
_POOR = Behaviour(
    sort=False,
    contains="refused",
    total="absent",
    post_search="405",
    paging=Paging.RELATIVE,
    repeats=True,
    outcome=True,
)
_PARTNER = Behaviour(sort=False, order="newest-first", open_metadata=True)

# By the name of the system's profile: what its makers document, and where they are silent the worse.
SYSTEMS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "generic": _POOR,
        "hapi": _HAPI,
        "azure": _MICROSOFT,
        "microsoft-fhir-server": _MICROSOFT,
        "redox": Behaviour(
            sort=False, contains="refused", total="estimate", base_path="/fhir/R4/lakeside-ehr/Development"
        ),
        "infor": _PARTNER,
        "corolar": Behaviour(sort=False, order="oldest-first", contains="ignored", open_metadata=True),
        "datica": _PARTNER,
        "meld": Behaviour(paging=Paging.GETPAGES, total="absent", base_path="/GatewaySandbox/data"),
        "epic": Behaviour(
            sort=False,
            contains="refused",
            total="absent",
            post_search="body-ignored",
            outcome=True,
            bare_identifiers=False,
            paging=Paging.SESSION,
            base_path="/interconnect-prd/api/FHIR/R4",
        ),
        "oracle": Behaviour(
            sort=False,
            order="oldest-first",
            contains="refused",
            total="absent",
            post_search="405",
            paging=Paging.PAGE_CONTEXT,
            page_size=20,
            repeats=True,
            content_type="application/json+fhir",
            refused=_refused(Condition="_count", AllergyIntolerance="_count", Coverage="beneficiary"),
            base_path="/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d",
        ),
        "athenahealth": Behaviour(
            sort=False,
            contains="refused",
            total="estimate",
            paging=Paging.CURSOR,
            post_search="400",
            refused=_refused(Coverage="beneficiary"),
            base_path="/fhir/r4",
        ),
        "meditech": Behaviour(
            sort=False,
            contains="refused",
            total="absent",
            post_search="405",
            paging=Paging.CONTINUE,
            refused=_refused(AllergyIntolerance="_count", Coverage="_count", Patient="given"),
            base_path="/v2/uscore/STU6",
        ),
        "google": Behaviour(
            total="estimate",
            post_search="400",
            paging=Paging.PAGE_TOKEN,
            base_path="/v1/projects/p/locations/l/datasets/d/fhirStores/f/fhir",
        ),
    }
)


def with_token(behaviour: Behaviour) -> Behaviour:
    """The same server, behind its token endpoint."""
    return replace(behaviour, token=True)
