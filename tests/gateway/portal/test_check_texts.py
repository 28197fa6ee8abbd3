"""Whatever a report of the conformance check can say is said in Chinese too, and no translation is left over."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest
from jinja2 import nodes

from gateway.conformance import answers
from gateway.conformance.calls import Request
from gateway.conformance.checks import checks_for
from gateway.conformance.evidence import Evidence, Exchange
from gateway.conformance.page import FOLDER, TEMPLATE, environment
from gateway.conformance.remedies import remedy_for
from gateway.conformance.verdicts import unmet
from gateway.portal.check_texts import FOLDER as TRANSLATIONS
from gateway.portal.check_texts import PLACE, in_language
from gateway.upstream.systems import PROFILES, Total
from gateway.versions import FhirVersion

CATALOGUE: dict[str, str] = tomllib.loads((TRANSLATIONS / "zh-Hans.toml").read_text("utf-8"))
HOLE = "\0"
# What makes findings and remedies, by the place of its text among the arguments.
SPEAKS = {"met": 0, "partly": 0, "unmet": 0, "untested": 0, "Remedy": 0, "_always": 0, "_unless": 1}
# Stays as it is: `quoted`, parameters, paths, media types, names in capitals or mixed case, numbers.
TECHNICAL = re.compile(r"`[^`]+`|\w+[./_+=-][\w/+-]+|\b_\w+|\b[A-Z]+[a-z]*[A-Z]\w*|\d+")
# English all the same.
IN_WORDS = {"MRN", "URL", "GETs", "self-signed"}
# What gateway/upstream gives a report, and a name that is filled in.
FROM_ELSEWHERE = {*Total, f"status {HOLE}", "POST Patient/_search: the profile says yes, the server does not"}


def chinese(text: str) -> str | None:
    return in_language("zh-Hans", text)


def blanked(text: str) -> str:
    return PLACE.sub(HOLE, text)


@cache
def sources() -> list[ast.Module]:
    return [ast.parse(path.read_text("utf-8")) for path in sorted(FOLDER.rglob("*.py"))]


def wordings(node: ast.AST) -> set[str]:
    """What a text in the source can be, with HOLE for what is filled in when it runs."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.JoinedStr(values=parts):
            # A path may be filled in as two: a resource's type and an element.
            return {"".join(ways).replace(f"{HOLE}.{HOLE}", HOLE) for ways in product(*map(wordings, parts))}
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return {"".join(ways) for ways in product(wordings(left), wordings(right))}
        case ast.IfExp(body=one, orelse=other):
            return wordings(one) | wordings(other)
        case ast.FormattedValue(value=ast.IfExp() as inner) | ast.Starred(value=ast.GeneratorExp(elt=inner)):
            return wordings(inner)
    return {HOLE}


def spoken() -> set[str]:
    """The findings and remedies that stand where they are made."""
    calls = (node for tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Call))
    found: set[str] = set()
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id in SPEAKS and len(call.args) > SPEAKS[call.func.id]:
            found |= wordings(call.args[SPEAKS[call.func.id]])
    return found - {HOLE}


def of_the_page() -> Iterator[str]:
    """The words of the report as a file."""
    source = (FOLDER / TEMPLATE).read_text("utf-8")
    for call in environment().parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("own", "say"):
            (said,) = call.args
            parts = said.nodes if isinstance(said, nodes.Concat) else [said]
            yield "".join(part.value if isinstance(part, nodes.Const) else HOLE for part in parts)


def written() -> set[str]:
    """Every text in the source."""
    texts = {
        wording
        for tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp)
        for wording in wordings(node)
    }
    return texts | set(of_the_page())


def known(text: str) -> bool:
    """Whether it has a translation, whatever fills its holes."""
    return text in map(blanked, CATALOGUE) if HOLE in text else chinese(text) is not None


@pytest.mark.parametrize("version", FhirVersion)
def test_every_check_is_named_and_mended_in_chinese(version: FhirVersion) -> None:
    checks = checks_for(version)
    assert len(checks) > 90
    texts = {text for one in checks for text in (one.title, one.mend, one.requirement, one.severity)}
    assert {text for text in texts if chinese(text) is None} == set()


@pytest.mark.parametrize("version", FhirVersion)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_remedy_is_told_in_chinese(version: FhirVersion, profile: str) -> None:
    total = Exchange(Request("total-accurate", "GET", "", ""), 200, 1, resource={"resourceType": "Bundle", "total": 1})
    silent, telling = Evidence("server", version), Evidence("server", version)
    telling.add(total, telling.place("total-accurate"))
    besides = ("", "code.text", "the identifier of the tenant's MRN system", "name.text | name.family")
    remedies = {
        remedy.text
        for one in checks_for(version)
        for evidence in (silent, telling)
        for beside in besides
        if (remedy := remedy_for(one.id, unmet(beside=beside), PROFILES[profile], evidence))
    }
    assert len(remedies) > 10
    assert {text for text in remedies if chinese(text) is None} == set()


def test_every_finding_in_the_source_is_told_in_chinese() -> None:
    texts = spoken() | {text for name, text in vars(answers).items() if name.isupper() and isinstance(text, str)}
    assert len(texts) > 100
    assert {text for text in texts if not known(text)} == set()


def test_every_word_of_the_file_is_chinese_too() -> None:
    words = set(of_the_page()) - {HOLE}
    assert len(words) > 25
    assert {text for text in words if not known(text)} == set()


def test_no_translation_is_left_over() -> None:
    texts = written() | FROM_ELSEWHERE
    assert {text for text in CATALOGUE if blanked(text) not in texts} == set()


@pytest.mark.parametrize("text", CATALOGUE)
def test_a_translation_keeps_what_is_no_english(text: str) -> None:
    wording = CATALOGUE[text]
    assert Counter(PLACE.findall(wording)) == Counter(PLACE.findall(text))
    kept = set(TECHNICAL.findall(PLACE.sub("", text))) - IN_WORDS
    assert {one for one in kept if one not in wording} == set()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Patient: the app must find name.given", ["Patient", "name.given"]),
        ("Observation.valueQuantity.unit | component.valueQuantity.unit: 3 of 12", ["3", "12", " | component.value"]),
        ("page 2: 410 an HTML page instead of FHIR JSON", ["第 2 页", "410", "HTML 页面"]),
        ("The FHIR server refuses the gateway's credential. (status 401)", ["服务器拒绝了网关的凭据", "状态 401"]),
    ],
)
def test_what_differs_stays_and_what_stands_in_a_text_is_told_too(text: str, kept: list[str]) -> None:
    told = chinese(text)
    assert told is not None
    assert [one for one in kept if one not in told] == []


@pytest.mark.parametrize("text", ["Something new.", "page two: an empty body", "page 2: something new", "", "new"])
def test_what_has_no_translation_is_none(text: str) -> None:
    assert chinese(text) is None
    assert in_language("en", text) == text
