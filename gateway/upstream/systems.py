"""What each kind of FHIR server can do, as far as its makers say; docs/upstream-systems.md is made from these records.

Marks in comments: [P] the maker's own documents, [S] second-hand, [C] the partner contract of the Patients app,
[-] not known, hence taken for the worse.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gateway.registry import Tenant
from gateway.versions import FhirVersion, RequestOptions


class Total(StrEnum):
    """How `Bundle.total` of a Patient search becomes the number of matches."""

    NATIVE = "native"  # the server says it unasked
    ACCURATE = "accurate"  # it says it when asked with `_total=accurate`
    COUNTED = "counted"  # what it says is absent or an estimate: the gateway counts


class Contains(StrEnum):
    """What becomes of `family:contains=x`."""

    NATIVE = "native"
    TRIED = "tried"  # sent; refused with 400, the plain parameter is sent; the gateway filters in either case
    PREFIX = "prefix"  # the server matches beginnings only: the plain parameter is sent, and the gateway filters


class Order(StrEnum):
    """In which order a server hands out encounters when it cannot be told."""

    NEWEST_FIRST = "newest-first"
    OLDEST_FIRST = "oldest-first"
    UNKNOWN = "unknown"


class MedicationSource(StrEnum):
    """What a server has when it is asked for MedicationStatement."""

    STATEMENTS = "statements"
    REQUESTS = "requests"


type ByType = Mapping[str, frozenset[str]]
_JSON = ("application/fhir+json", "application/json+fhir", "application/json")
_NOTHING: ByType = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemProfile:
    """One kind of server. The defaults trust nothing: they are the profile `generic`.

    `page_size` is what the gateway asks for when it must see all pages. `without_count` are the types that know no
    `_count`; `unsearchable` the parameters per type that must not be sent and that the gateway filters by itself;
    `one_of` the parameters of which a search of the type needs one; `renamed` other names of parameters, per type.
    `qualified_mrn`: patients are found by `identifier=system|value` only, never by a bare value.
    `next_link` only describes: the gateway follows any link below the upstream's origin.
    """

    name: str
    title: str
    batch: bool = False
    post_search: bool = False
    sort: bool = False
    contains: Contains = Contains.TRIED
    total: Total = Total.COUNTED
    page_size: int = 100
    without_count: frozenset[str] = frozenset()
    encounter_order: Order = Order.UNKNOWN
    next_link: str = "any"
    media_type: str = "application/fhir+json"
    medications: MedicationSource = MedicationSource.STATEMENTS
    qualified_mrn: bool = False
    unsearchable: ByType = field(default=_NOTHING)
    one_of: ByType = field(default=_NOTHING)
    renamed: Mapping[str, Mapping[str, str]] = field(default=MappingProxyType({}))

    @property
    def supports_batch(self) -> bool:
        """Whether a batch of searches can be handed on as it is."""
        return self.batch

    @property
    def statements_from_requests(self) -> bool:
        """Whether MedicationStatement is answered from the server's MedicationRequests."""
        return self.medications is MedicationSource.REQUESTS


def accept(tenant: Tenant) -> str:
    """The Accept header that the tenant's server understands: its own media type first, the other JSON types after."""
    own = profile_of(tenant).media_type
    if tenant.fhir_version is FhirVersion.DSTU2 and own == "application/fhir+json":
        own = "application/json+fhir"
    others = [name for name in _JSON if name != own]
    return ", ".join([own, *(f"{name};q=0.{9 - rank}" for rank, name in enumerate(others))])


def request_options(tenant: Tenant) -> RequestOptions:
    """What the tenant's server needs beyond its FHIR version."""
    profile = profile_of(tenant)
    return RequestOptions(
        mrn_system=tenant.mrn_system if profile.qualified_mrn else None,
        statements_from_requests=profile.statements_from_requests,
    )


def _by_type(**parameters: str) -> ByType:
    return MappingProxyType({name: frozenset(words.split()) for name, words in parameters.items()})


def _partner(name: str, title: str) -> SystemProfile:
    # [C] A partner promises the contract of the Patients app: batch of searches, POST Patient/_search, total. Of sort
    # only what the app sends; [-] no product documents were found, so order and contains are checked by the gateway.
    return SystemProfile(name=name, title=title, batch=True, post_search=True, total=Total.NATIVE)


def _microsoft(name: str, title: str) -> SystemProfile:
    return SystemProfile(
        name=name,
        title=title,
        batch=True,  # [P] 500 entries
        post_search=True,  # [P]
        sort=True,  # [P] by date parameters and a few more
        contains=Contains.NATIVE,  # [P]
        total=Total.ACCURATE,  # [P] IncludeTotalInBundle is None unless asked
        page_size=1000,  # [P] default 10, at most 1000
        next_link="ct",  # [P] absolute, may be several KB long
    )


_ALL = (
    SystemProfile(name="generic", title="Any FHIR server"),
    SystemProfile(
        name="hapi",
        title="HAPI FHIR, Smile CDR",
        batch=True,  # [P]
        post_search=True,  # [P]
        sort=True,  # [P]
        contains=Contains.NATIVE,  # [P]
        total=Total.ACCURATE,  # [P] a cached search may carry no total unless asked
        page_size=200,
        next_link="_getpages",  # [P] without resource type; expires with the server's cache
    ),
    _microsoft("azure", "Azure Health Data Services"),
    _microsoft("microsoft-fhir-server", "Microsoft FHIR Server for Azure (open source)"),
    SystemProfile(
        name="redox",
        title="Redox FHIR API",
        # [S] Third-party code sends a header Redox-Source-Id with everything: a tenant's `extra_headers`.
        post_search=True,  # [S] third-party code does; [-] batch, sort, contains, total
    ),
    _partner("infor", "Infor FHIR Bridge (Cloverleaf)"),
    _partner("corolar", "Dapasoft Corolar on FHIR"),
    _partner("datica", "Datica CMI"),
    SystemProfile(
        name="meld",
        title="Meld, Logica, HSPC sandbox",
        batch=True,  # [S] HAPI inside
        post_search=True,  # [S]
        sort=True,  # [S]
        contains=Contains.NATIVE,  # [S]
        total=Total.COUNTED,  # [-] HAPI of unknown age: `_total` may be unknown to it
        page_size=200,
        next_link="_getpages",  # [S] without resource type
    ),
    SystemProfile(
        name="epic",
        title="Epic",
        post_search=False,  # [S] before February 2026 the body is ignored, after it the query: GET is safe on both
        contains=Contains.PREFIX,  # [P] no modifier listed
        next_link="session",  # [S] expires: error 4113
        medications=MedicationSource.REQUESTS,  # [P] R4 has no MedicationStatement
        qualified_mrn=True,  # [S] of an identifier search it wants the kind of the identifier
        one_of=_by_type(Observation="category code"),  # [P] error 59108
    ),
    SystemProfile(
        name="oracle",
        title="Oracle Health Millennium (Cerner)",
        batch=False,  # [P] listed, rules unknown: not relied on
        post_search=False,  # [-] not documented
        contains=Contains.PREFIX,  # [P] beginnings and :exact only
        encounter_order=Order.OLDEST_FIRST,  # [P] and unordered inside a page
        without_count=frozenset({"Condition", "AllergyIntolerance"}),  # [P]
        next_link="pageContext",  # [P]
        media_type="application/json",  # [P] JSON only, else 406; answers application/json+fhir
        renamed=MappingProxyType({"Coverage": MappingProxyType({"beneficiary": "patient"})}),  # [P]
    ),
    SystemProfile(
        name="athenahealth",
        title="athenahealth",
        # [P] One address for all practices, told apart by `ah-practice` and kin: a tenant's `extra_parameters`.
        contains=Contains.PREFIX,  # [-]
        next_link="cursor",  # [P]
        renamed=MappingProxyType({"Coverage": MappingProxyType({"beneficiary": "patient"})}),  # [P]
    ),
    SystemProfile(
        name="meditech",
        title="MEDITECH Expanse",
        contains=Contains.PREFIX,  # [-]
        without_count=frozenset({"AllergyIntolerance", "Coverage"}),  # [P]
        next_link="continue",  # [P]
        unsearchable=_by_type(Patient="given"),  # [P]
    ),
    SystemProfile(
        name="google",
        title="Google Cloud Healthcare API",
        batch=False,  # [P] everything except searches
        post_search=False,  # [P] refuses form bodies
        sort=True,  # [P]
        contains=Contains.NATIVE,  # [P]
        total=Total.COUNTED,  # [P] an estimate until the last page
        page_size=1000,  # [P]
        next_link="_page_token",  # [P] opaque
    ),
)

PROFILES: Mapping[str, SystemProfile] = MappingProxyType({profile.name: profile for profile in _ALL})


def profile_of(tenant: Tenant) -> SystemProfile:
    """The profile of the tenant's system; `generic` for a system that none is written for."""
    return PROFILES.get(tenant.system, PROFILES["generic"])
