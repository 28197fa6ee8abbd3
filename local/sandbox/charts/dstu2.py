"""Charts as FHIR DSTU2 (1.0.2) resources."""

from collections.abc import Iterator

from local.sandbox.charts.elements import (
    Json,
    codeable,
    codes,
    date_time,
    doctor_reference,
    effective,
    measured,
    narrative,
    period,
    present,
    readings,
    reference,
    resource,
)
from local.sandbox.charts.model import Allergy, Chart, Order, Policy, Problem, Records, Visit
from local.sandbox.charts.people import (
    address,
    directory,
    language,
    medication_id,
    mrn,
    patient_name,
    phone,
    referenced_medications,
)

_SYSTEMS = {"RoleCode": "http://hl7.org/fhir/v3/RoleCode", "ActCode": "http://hl7.org/fhir/v3/ActCode"}
_CLASSES = {"IMP": "inpatient", "AMB": "ambulatory", "EMER": "emergency"}
_CRITICALITY = {"low": "CRITL", "high": "CRITH", "unable-to-assess": "CRITU"}
# MedicationOrder.status has no cancelled: it calls that stopped.
_ORDER_STATUS = {"cancelled": "stopped"}
_VITAL_SIGNS = codes("http://hl7.org/fhir/observation-category", "vital-signs", "Vital Signs")


def resources(records: Records, mrn_system: str) -> Iterator[Json]:
    """Yield all resources of a hospital."""
    yield from directory(
        records,
        _SYSTEMS,
        lambda family, given: {"family": [family], "given": [given], "prefix": ["Dr."]},
        lambda kind: kind,
    )
    for drug in referenced_medications(records):
        yield resource("Medication", medication_id(drug), "2024-01-15", code=codeable(drug))
    for chart in records.charts:
        yield _patient(chart, mrn_system)
        offset = records.utc_offset
        yield from (_encounter(chart, visit, offset) for visit in chart.visits)
        yield from _observations(chart, offset)
        yield from (_condition(chart, *item) for item in enumerate(chart.problems, 1))
        yield from (_allergy(chart, number, item, offset) for number, item in enumerate(chart.allergies, 1))
        yield from (_order(chart, number, item, offset) for number, item in enumerate(chart.orders, 1))
        yield from (_coverage(chart, *item) for item in enumerate(chart.policies, 1))


def _self(chart: Chart) -> Json:
    person = chart.person
    return reference(f"Patient/{person.id}", " ".join([*person.given, *person.family]))


def _patient(chart: Chart, mrn_system: str) -> Json:
    person = chart.person
    return resource(
        "Patient",
        person.id,
        "2026-01-05",
        identifier=[mrn(person, mrn_system, "http://hl7.org/fhir/v2/0203")],
        active=True,
        name=patient_name(person, list),
        telecom=phone(person),
        gender=person.gender,
        birthDate=person.birth_date,
        address=address(person),
        communication=language(person),
        careProvider=[doctor_reference(person.doctor)] if person.doctor else [],
    )


def _encounter(chart: Chart, visit: Visit, offset: str) -> Json:
    start = date_time(visit.start, offset)
    status = "active" if not visit.end else "completed"
    place = visit.place and {
        "location": reference(f"Location/{visit.place.id}", visit.place.name if visit.place_shown else ""),
        "status": status,
    }
    return resource(
        "Encounter",
        f"enc-{visit.key}",
        start,
        **{"class": _CLASSES[visit.setting]},
        status="finished" if visit.end else "in-progress",
        type=[codeable(visit.kind)],
        patient=_self(chart),
        participant=[{"individual": doctor_reference(visit.doctor)}] if visit.doctor else [],
        period=period(visit.start, visit.end, offset),
        reason=[codeable(visit.reason)] if visit.reason else [],
        location=[place] if place else [],
    )


def _observations(chart: Chart, offset: str) -> Iterator[Json]:
    for number, taken, name, reading in readings(chart.vitals):
        yield resource(
            "Observation",
            f"obs-{chart.person.id}-{number}",
            date_time(taken.at, offset),
            status=taken.status,
            category=_VITAL_SIGNS,
            subject=_self(chart),
            encounter=reference(f"Encounter/enc-{taken.visit}") if taken.visit else None,
            **effective(taken, offset),
            **measured(name, reading),
        )


def _condition(chart: Chart, number: int, problem: Problem) -> Json:
    return resource(
        "Condition",
        f"cond-{chart.person.id}-{number}",
        problem.recorded,
        patient=_self(chart),
        dateRecorded=problem.recorded,
        code=codeable(problem.concept),
        category=codes("http://hl7.org/fhir/condition-category", "diagnosis", "Diagnosis"),
        clinicalStatus=problem.clinical,
        verificationStatus=problem.verification,
        severity=codeable(problem.severity),
        onsetDateTime=problem.onset,
    )


def _allergy(chart: Chart, number: int, allergy: Allergy, offset: str) -> Json:
    substance = codeable(allergy.substance)
    reaction = allergy.manifestation and present(
        {
            "substance": substance,
            "manifestation": [codeable(allergy.manifestation)],
            "severity": allergy.severity,
        }
    )
    recorded = date_time(allergy.recorded, offset)
    return resource(
        "AllergyIntolerance",
        f"alg-{chart.person.id}-{number}",
        recorded,
        text=narrative(f"{allergy.type.capitalize()}: {allergy.substance.label}"),
        recordedDate=recorded,
        patient=_self(chart),
        reporter=_self(chart),
        substance=substance,
        status=allergy.clinical if allergy.clinical in {"inactive", "resolved"} else allergy.verification,
        criticality=_CRITICALITY[allergy.criticality],
        type=allergy.type,
        category=allergy.category,
        note={"text": allergy.note} if allergy.note else None,
        reaction=[reaction] if reaction else [],
    )


def _order(chart: Chart, number: int, order: Order, offset: str) -> Json:
    written = date_time(order.written, offset)
    drug = order.medication
    by_reference = order.medication_as == "reference"
    return resource(
        "MedicationOrder",
        f"med-{chart.person.id}-{number}",
        written,
        text=narrative(f"{drug.label}: {order.dosage}"),
        dateWritten=written,
        status=_ORDER_STATUS.get(order.status, order.status),
        dateEnded=date_time(order.ended, offset),
        patient=_self(chart),
        prescriber=doctor_reference(order.doctor),
        medicationReference=reference(f"Medication/{medication_id(drug)}", drug.label) if by_reference else None,
        medicationCodeableConcept=None if by_reference else codeable(drug),
        dosageInstruction=[{"text": order.dosage}],
    )


def _coverage(chart: Chart, number: int, policy: Policy) -> Json:
    return resource(
        "Coverage",
        f"cov-{chart.person.id}-{number}",
        policy.start,
        issuer=reference(f"Organization/{policy.payer.id}", policy.payer.name),
        period=period(policy.start, policy.end, ""),
        type={
            "system": _SYSTEMS[policy.kind.system],
            "code": policy.kind.code,
            "display": policy.kind.display,
        },
        subscriberId={"value": policy.subscriber_id},
        group=policy.group[0],
        plan=policy.plan[1],
        subscriber=_self(chart),
    )
