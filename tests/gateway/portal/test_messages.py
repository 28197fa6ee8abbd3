import ast
from functools import cache
from pathlib import Path

import pytest

from gateway.errors import InvalidFields
from gateway.manage.documents import _HINTS, ClientNew, TenantNew, validated
from gateway.manage.durations import _HOW
from gateway.portal.messages import translated

GATEWAY = Path(__file__).parents[3] / "gateway"
PLACES = ("manage", "upstream", "registry")
# Not raised towards the portal: the API's own forms, the import of files, the command line.
ELSEWHERE = {"handlers.py", "endpoint.py", "imports.py", "operators.py", "keys.py", "authority.py", "secret_values.py"}
SPEAKS = {
    *("Invalid", "Duplicate", "Stale", "Unknown", "Unreachable", "Locked", "AddressRefused", "KeyUnusable", "Step"),
    *("UpstreamBroken", "UpstreamTimeout", "UpstreamSuspended", "Throttled", "CredentialRefused"),
    "kind",  # one of these, in gateway/upstream/grants.py
}


@cache
def texts() -> list[str]:
    """Every text that the service's parts hand to operators, with `x` where it holds something that differs."""
    found = {*_HINTS.values(), _HOW}
    for path in (path for place in PLACES for path in (GATEWAY / place).glob("*.py") if path.name not in ELSEWHERE):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SPEAKS:
                found |= {text for text in map(spoken, call.args) if " " in text.strip()}
    # A name with a number, and a text that is there whole as _HOW.
    return sorted(found - {"FHIR x", "expires x."} | {f"expires {_HOW}."})


def spoken(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return argument.value if isinstance(argument.value, str) else ""
    if isinstance(argument, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "x" for part in argument.values)
        return "".join(map(str, parts))
    return ""


@pytest.mark.parametrize("text", texts())
def test_what_the_service_says_is_said_in_chinese_too(text: str) -> None:
    assert translated("zh-Hans", text) != text


def test_there_is_something_to_translate() -> None:
    assert len(texts()) > 50


@pytest.mark.parametrize(
    ("model", "document"),
    [
        (
            TenantNew,
            {"tenant_id": "x", "name": "", "fhir_url": "x", "fhir_version": "r5", "system": "x", "notes": "x" * 5000},
        ),
        (TenantNew, {"auth": {"kind": "header", "name": "X Y", "secret": "a_b"}, "max_concurrency": 0}),
        (TenantNew, {"auth": {"kind": "basic"}, "mrn_system": "x" * 501, "max_concurrency": 10_001}),
        (TenantNew, {"extra_headers": {"X Y": "1"}, "extra_parameters": {"_id": "1"}}),
        (TenantNew, {"extra_headers": {"Host": "1"}, "extra_parameters": {"patient": "1"}}),
        (TenantNew, {"extra_headers": {"X": ""}, "extra_parameters": {"a": "1", "A": "1"}}),
        (TenantNew, {"extra_headers": {"X": 1}, "extra_parameters": {f"a{number}": "1" for number in range(11)}}),
        (
            TenantNew,
            {"auth": {"kind": "header", "name": "X-Key", "secret": "key"}, "extra_headers": {"x-key": "1"}},
        ),
        (ClientNew, {"name": "x" * 201, "tenants": ["x"], "jwks_uri": "x", "description": "x" * 201, "expires": "x"}),
    ],
)
def test_field_errors_are_said_in_chinese_too(model: type[TenantNew], document: dict[str, object]) -> None:
    with pytest.raises(InvalidFields) as error:
        validated(model, document)
    untold = [text for _, text in error.value.problems if translated("zh-Hans", text) == text]
    assert untold == []


def test_the_reason_inside_a_message_is_translated_too() -> None:
    told = translated("zh-Hans", "auth.key cannot be used: the key does not fit RS384.")
    assert told.endswith("密钥与 RS384 不匹配。")


def test_english_and_what_is_not_known_stay() -> None:
    assert translated("en", "is missing") == "is missing"
    assert translated("zh-Hans", "Something new.") == "Something new."
