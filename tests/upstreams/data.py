"""A small hospital's resources, made from nothing: enough to sort, count, page and mix up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

type Version = Literal["dstu2", "stu3", "r4"]

FAMILIES = ("Müller", "Øster", "Chalmers", "Van Dam", "Chambers", "O'Neil")
GIVENS = ("Ann", "René", "Peter", "Annika")


def hospital(
    version: Version, *, patients: int = 12, encounters: int = 30, now: datetime | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Resources by type. Every patient has `encounters` encounters, one a week back from `now`, one more without a
    period, and three coverages, observations and conditions.
    """
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(patients):
        patient = f"p{number}"
        for resource in (
            _patient(version, number),
            *_encounters(patient, encounters, moment),
            *_observations(patient, moment),
            *(_coverage(version, patient, index) for index in range(3)),
            *(_condition(version, patient, index, moment) for index in range(3)),
        ):
            found.setdefault(resource["resourceType"], []).append(resource)
    return found


def _patient(version: Version, number: int) -> dict[str, Any]:
    family = FAMILIES[number % len(FAMILIES)]
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": f"M{number:04}"}],
        "name": [{"family": [family] if version == "dstu2" else family, "given": [GIVENS[number % len(GIVENS)]]}],
        "gender": "female" if number % 2 else "male",
        "birthDate": f"19{50 + number % 50}-0{1 + number % 9}-11",
    }


def _encounters(patient: str, count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for index in range(count):
        start = now - timedelta(weeks=index, hours=3)
        yield {
            "resourceType": "Encounter",
            "id": f"{patient}-e{index}",
            "status": "finished" if index else "in-progress",
            "subject": {"reference": f"Patient/{patient}"},
            "patient": {"reference": f"Patient/{patient}"},
            "period": {"start": _text(start), **({"end": _text(start + timedelta(hours=2))} if index else {})},
            "location": [{"location": {"display": f"Room {index}"}}],
        }
    yield {
        "resourceType": "Encounter",
        "id": f"{patient}-undated",
        "status": "planned",
        "subject": {"reference": f"Patient/{patient}"},
        "patient": {"reference": f"Patient/{patient}"},
    }


def _observations(patient: str, now: datetime) -> Iterator[dict[str, Any]]:
    category = [{"coding": [{"code": "vital-signs"}]}]
    for index in range(3):
        yield {
            "resourceType": "Observation",
            "id": f"{patient}-o{index}",
            "status": "final",
            "category": category,
            "code": {"coding": [{"code": f"code{index}"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": _text(now - timedelta(days=index)),
        }


def _coverage(version: Version, patient: str, index: int) -> dict[str, Any]:
    holder = "subscriber" if version == "dstu2" else "beneficiary"
    return {
        "resourceType": "Coverage",
        "id": f"{patient}-c{index}",
        "status": "active",
        holder: {"reference": f"Patient/{patient}"},
    }


def _condition(version: Version, patient: str, index: int, now: datetime) -> dict[str, Any]:
    recorded = {"dstu2": "dateRecorded", "stu3": "assertedDate", "r4": "recordedDate"}[version]
    holder = "patient" if version == "dstu2" else "subject"
    return {
        "resourceType": "Condition",
        "id": f"{patient}-k{index}",
        holder: {"reference": f"Patient/{patient}"},
        recorded: f"{now - timedelta(days=index):%Y-%m-%d}",
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
