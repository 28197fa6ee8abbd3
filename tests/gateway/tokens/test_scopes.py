import pytest

from gateway.errors import InvalidScope
from gateway.tokens.scopes import only_tenant, parse_scope

TENANT = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a01"


@pytest.mark.parametrize(
    ("text", "types"),
    [
        (TENANT, None),
        ("system/*.read", None),
        ("system/*.rs", None),
        ("system/*.*", None),
        ("system/*.cruds", None),
        ("system/Patient.read", {"Patient"}),
        ("system/Patient.rs system/Observation.read", {"Patient", "Observation"}),
        ("system/Patient.rs system/*.read", None),
        ("system/Patient.r", set()),  # v2: reading without searching cannot be told apart here
        ("system/Patient.cud", set()),
        ("system/Observation.rs?category=vital-signs", set()),  # a restriction that cannot be kept grants nothing
        ("system/Patient.write", set()),  # v1
        ("system/*.write", set()),
        ("system/Patient.sr", set()),  # not in the order of SMART v2: malformed, and no reason to grant everything
        ("system/Patient", set()),
        ("user/Patient.read", None),
        ("patient/Patient.read", None),
        ("system/patient.read", set()),
    ],
)
def test_types_that_a_scope_reaches(text: str, types: set[str] | None) -> None:
    assert parse_scope(text).types == (None if types is None else frozenset(types))


def test_a_long_scope_is_read_like_a_short_one() -> None:
    assert parse_scope(f"{TENANT} " + "x" * 1000).tenants == (TENANT,)


def test_several_tenants_are_refused() -> None:
    with pytest.raises(InvalidScope):
        only_tenant(parse_scope(f"{TENANT} 00000000-0000-0000-0000-000000000001"))
