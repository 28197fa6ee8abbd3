"""Elements that the versions write alike, and the frame of a resource."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from local.sandbox.charts.model import Doctor, Reading, Vitals
from local.sandbox.charts.terms import BLOOD_PRESSURE, DIASTOLIC, SYSTOLIC, VITALS, Concept, Measure

type Json = dict[str, Any]

BLOOD_PRESSURE_MEASURE = Measure(BLOOD_PRESSURE, "mmHg", "mm[Hg]")


def resource(resource_type: str, resource_id: str, updated: str, **elements: Any) -> Json:  # noqa: ANN401 - FHIR elements
    """Return a resource of one version, last updated at that dateTime, without its empty elements."""
    moment = datetime.fromisoformat(updated)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    meta = {"versionId": "1", "lastUpdated": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"resourceType": resource_type, "id": resource_id, "meta": meta, **present(elements)}


def present(elements: Mapping[str, Any]) -> Json:
    """Return the elements that say something: FHIR JSON knows no empty values."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}


def coding(concept: Concept) -> Json:
    """Return a Coding."""
    return {"system": concept.system, "code": concept.code, "display": concept.display}


def codeable(concept: Concept | None) -> Json | None:
    """Return a CodeableConcept with one coding and the text that people read."""
    return concept and {"coding": [coding(concept)], "text": concept.label}


def codes(system: str, code: str, display: str = "") -> Json:
    """Return a CodeableConcept that stands for a status, class or category."""
    return {"coding": [present({"system": system, "code": code, "display": display})]}


def reference(target: str, display: str = "") -> Json:
    """Return a Reference."""
    return present({"reference": target, "display": display})


def doctor_reference(doctor: Doctor | None) -> Json | None:
    """Return a Reference with the doctor's name."""
    return reference(f"Practitioner/{doctor.id}", doctor.display) if doctor else None


def narrative(text: str) -> Json:
    """Return a generated narrative of one sentence."""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(text)}</div>'}


def date_time(local: str, utc_offset: str) -> str:
    """Return a dateTime with seconds and offset for a chart's time, a date as it is, nothing for nothing."""
    return f"{local}:00{utc_offset}" if "T" in local else local


def period(start: str, end: str, utc_offset: str) -> Json:
    """Return a Period; open when there is no end."""
    return present({"start": date_time(start, utc_offset), "end": date_time(end, utc_offset)})


def quantity(value: float, measure: Measure) -> Json:
    """Return a Quantity in UCUM."""
    return {"value": value, "unit": measure.unit, "system": "http://unitsofmeasure.org", "code": measure.ucum}


def measured(name: str, reading: Reading) -> Json:
    """Return `code` and the value elements of a vital sign: a quantity or two components."""
    if isinstance(reading, tuple):
        return {
            "code": codeable(BLOOD_PRESSURE),
            "component": [
                {"code": codeable(part), "valueQuantity": quantity(value, BLOOD_PRESSURE_MEASURE)}
                for part, value in zip((SYSTOLIC, DIASTOLIC), reading, strict=True)
            ],
        }
    return {"code": codeable(VITALS[name].concept), "valueQuantity": quantity(reading, VITALS[name])}


def effective(vitals: Vitals, utc_offset: str) -> Json:
    """Return the effective[x] element: a moment, or a Period when the reading took its time."""
    if vitals.until:
        return {"effectivePeriod": period(vitals.at, vitals.until, utc_offset)}
    return {"effectiveDateTime": date_time(vitals.at, utc_offset)}


def readings(vitals: Iterable[Vitals]) -> Iterable[tuple[int, Vitals, str, Reading]]:
    """Yield every single reading with its running number, from 1."""
    flat = ((taken, name, reading) for taken in vitals for name, reading in taken.readings.items())
    for number, (taken, name, reading) in enumerate(flat, start=1):
        yield number, taken, name, reading
