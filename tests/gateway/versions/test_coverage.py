import pytest

from gateway.versions.table import Json, JsonObject
from tests.gateway.versions.shared_data import Adapt


def kind(code: str, value: Json, name: str | None = None) -> JsonObject:
    out = {"type": {"coding": [{"code": code}]}, "value": value}
    return {**out, "name": name} if name else out


def coverage(*classes: JsonObject, **more: Json) -> JsonObject:
    return {
        "resourceType": "Coverage",
        "id": "c",
        "status": "active",
        "beneficiary": {"reference": "Patient/1"},
        "payor": [{"reference": "Organization/1", "display": "Payer"}],
        **({"class": list(classes)} if classes else {}),
        **more,
    }


def test_all_classes_become_one_grouping(adapt: Adapt) -> None:
    source = coverage(
        kind("group", "G1", "Group one"),
        kind("subgroup", "S1"),
        kind("plan", "P1", "Plan one"),
        kind("subplan", "SP"),
        kind("class", "C"),
        kind("subclass", "SC"),
        kind("sequence", "9"),
        kind("rxbin", "1"),
    )
    out = adapt(source, "r4>stu3")
    assert out["grouping"] == {
        "group": "G1",
        "groupDisplay": "Group one",
        "subGroup": "S1",
        "subGroupDisplay": "S1",
        "plan": "P1",
        "planDisplay": "Plan one",
        "subPlan": "SP",
        "subPlanDisplay": "SP",
        "class": "C",
        "classDisplay": "C",
        "subClass": "SC",
        "subClassDisplay": "SC",
    }
    assert out["sequence"] == "9"
    assert "class" not in out


def test_dstu2_from_either_release(adapt: Adapt) -> None:
    source = coverage(
        kind("group", "G1", "Group one"),
        kind("plan", "P1", "Plan one"),
        kind("sequence", "9"),
        subscriberId="S-1",
        dependent="2",
        network="N",
        type={"coding": [{"code": "EHCPOL"}]},
        period={"start": "2020"},
    )
    expected = {
        "resourceType": "Coverage",
        "id": "c",
        "group": "G1",
        "plan": "Plan one",
        "sequence": 9,
        "dependent": 2,
        "issuer": {"reference": "Organization/1", "display": "Payer"},
        "subscriberId": {"value": "S-1"},
        "network": {"value": "N"},
        "subscriber": {"reference": "Patient/1"},
        "type": {"code": "EHCPOL"},
        "period": {"start": "2020"},
    }
    assert adapt(source, "r4>dstu2") == expected
    assert adapt(adapt(source, "r4>stu3"), "stu3>dstu2") == expected


def test_without_a_plan_the_payor_is_what_the_app_shows(adapt: Adapt) -> None:
    assert adapt(coverage(), "r4>dstu2")["plan"] == "Payer"
    assert adapt(coverage(kind("plan", "P1")), "r4>dstu2")["plan"] == "P1"


def test_words_where_dstu2_wants_numbers_go(adapt: Adapt) -> None:
    out = adapt(coverage(kind("sequence", "nine"), dependent="first"), "r4>dstu2")
    assert not {"sequence", "dependent"} & out.keys()


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "draft"])
def test_dstu2_has_no_status_so_what_is_not_in_force_is_hidden(adapt: Adapt, status: str | None) -> None:
    assert adapt(coverage(status=status), "r4>dstu2") is None


def test_a_subscriber_who_is_no_patient_is_not_replaced_by_the_beneficiary(adapt: Adapt) -> None:
    out = adapt(coverage(subscriber={"reference": "RelatedPerson/1"}), "r4>dstu2")
    assert "subscriber" not in out


def test_up_from_dstu2(adapt: Adapt) -> None:
    source = {
        "resourceType": "Coverage",
        "group": "G",
        "plan": "P",
        "issuer": {"display": "Payer"},
        "subscriberId": {"value": "S"},
        "sequence": 1,
        "type": {"code": "x"},
    }
    assert adapt(source, "dstu2>stu3") == {
        "resourceType": "Coverage",
        "grouping": {"group": "G", "groupDisplay": "G", "plan": "P", "planDisplay": "P"},
        "payor": [{"display": "Payer"}],
        "subscriberId": "S",
        "sequence": "1",
        "type": {"coding": [{"code": "x"}]},
    }
