"""Charts as FHIR STU3 (3.0.2) resources."""

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
from local.sandbox.charts.model import Allergy, Chart, Order, Policy, Problem, Records, Statement, Visit
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
_CLASSES = {"IMP": "inpatient encounter", "AMB": "ambulatory", "EMER": "emergency"}
_VITAL_SIGNS = codes("http://hl7.org/fhir/observation-category", "vital-signs", "Vital Signs")


def resources(records: Records, mrn_system: str) -> Iterator[Json]:
    """Yield all resources of a hospital."""
    yield from directory(
        records,
        _SYSTEMS,
        lambda family, given: [{"family": family, "given": [given], "prefix": ["Dr."]}],
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
        yield from (_statement(chart, *item) for item in enumerate(chart.statements, 1))
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
        name=patient_name(person, " ".join),
        telecom=phone(person),
        gender=person.gender,
        birthDate=person.birth_date,
        address=address(person),
        communication=language(person),
        generalPractitioner=[doctor_reference(person.doctor)] if person.doctor else [],
    )


def _encounter(chart: Chart, visit: Visit, offset: str) -> Json:
    place = visit.place and {
        "location": reference(f"Location/{visit.place.id}", visit.place.name if visit.place_shown else ""),
        "status": "completed" if visit.end else "active",
    }
    return resource(
        "Encounter",
        f"enc-{visit.key}",
        date_time(visit.start, offset),
        **{
            "class": {
                "system": _SYSTEMS["ActCode"],
                "code": visit.setting,
                "display": _CLASSES[visit.setting],
            }
        },
        status="finished" if visit.end else "in-progress",
        type=[codeable(visit.kind)],
        subject=_self(chart),
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
            category=[_VITAL_SIGNS],
            subject=_self(chart),
            context=reference(f"Encounter/enc-{taken.visit}") if taken.visit else None,
            **effective(taken, offset),
            **measured(name, reading),
        )


def _condition(chart: Chart, number: int, problem: Problem) -> Json:
    return resource(
        "Condition",
        f"cond-{chart.person.id}-{number}",
        problem.recorded,
        clinicalStatus=problem.clinical,
        verificationStatus=problem.verification,
        category=[codes("http://hl7.org/fhir/condition-category", "problem-list-item", "Problem List Item")],
        severity=codeable(problem.severity),
        code=codeable(problem.concept),
        subject=_self(chart),
        onsetDateTime=problem.onset,
        assertedDate=problem.recorded,
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
        clinicalStatus=allergy.clinical,
        verificationStatus=allergy.verification,
        type=allergy.type,
        category=[allergy.category],
        criticality=allergy.criticality,
        code=substance,
        patient=_self(chart),
        assertedDate=recorded,
        note=[{"text": allergy.note}] if allergy.note else [],
        reaction=[reaction] if reaction else [],
    )


def _order(chart: Chart, number: int, order: Order, offset: str) -> Json:
    written = date_time(order.written, offset)
    drug = order.medication
    by_reference = order.medication_as == "reference"
    return resource(
        "MedicationRequest",
        f"med-{chart.person.id}-{number}",
        written,
        text=narrative(f"{drug.label}: {order.dosage}"),
        status=order.status,
        intent="order",
        medicationReference=reference(f"Medication/{medication_id(drug)}", drug.label) if by_reference else None,
        medicationCodeableConcept=None if by_reference else codeable(drug),
        subject=_self(chart),
        authoredOn=written,
        requester={"agent": doctor_reference(order.doctor)},
        dosageInstruction=[{"text": order.dosage}],
    )


def _statement(chart: Chart, number: int, statement: Statement) -> Json:
    return resource(
        "MedicationStatement",
        f"stm-{chart.person.id}-{number}",
        statement.since,
        status="active",
        medicationCodeableConcept=codeable(statement.medication),
        effectivePeriod={"start": statement.since},
        dateAsserted=statement.since,
        subject=_self(chart),
        taken="y",
        dosage=[{"text": statement.dosage}],
    )


def _coverage(chart: Chart, number: int, policy: Policy) -> Json:
    return resource(
        "Coverage",
        f"cov-{chart.person.id}-{number}",
        policy.start,
        status=policy.status,
        type=codes(_SYSTEMS[policy.kind.system], policy.kind.code, policy.kind.display),
        subscriber=_self(chart),
        subscriberId=policy.subscriber_id,
        beneficiary=_self(chart),
        relationship=codes("http://hl7.org/fhir/policyholder-relationship", "self", "Self"),
        period=period(policy.start, policy.end, ""),
        payor=[reference(f"Organization/{policy.payer.id}", policy.payer.name)],
        grouping={
            "group": policy.group[0],
            "groupDisplay": policy.group[1],
            "plan": policy.plan[0],
            "planDisplay": policy.plan[1],
        },
    )
