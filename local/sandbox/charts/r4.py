"""Charts as FHIR R4 (4.0.1) resources, in the manner of US Core."""

from collections.abc import Iterator

from local.sandbox.charts.elements import (
    Json,
    codeable,
    codes,
    coding,
    date_time,
    doctor_reference,
    effective,
    measured,
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
from local.sandbox.charts.terms import PULSE_OXIMETRY

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_SYSTEMS = {"RoleCode": f"{_TERMINOLOGY}/v3-RoleCode", "ActCode": f"{_TERMINOLOGY}/v3-ActCode"}
_CLASSES = {"IMP": "inpatient encounter", "AMB": "ambulatory", "EMER": "emergency"}
_VITAL_SIGNS = codes(f"{_TERMINOLOGY}/observation-category", "vital-signs", "Vital Signs")


def resources(records: Records, mrn_system: str) -> Iterator[Json]:
    """Yield all resources of a hospital."""
    yield from directory(
        records,
        _SYSTEMS,
        lambda family, given: [{"family": family, "given": [given], "prefix": ["Dr."]}],
        lambda kind: [kind],
    )
    for drug in referenced_medications(records):
        yield resource("Medication", medication_id(drug), "2024-01-15", code=codeable(drug), status="active")
    for chart in records.charts:
        yield _patient(chart, records, mrn_system)
        offset = records.utc_offset
        yield from (_encounter(chart, visit, offset) for visit in chart.visits)
        yield from _observations(chart, offset)
        yield from (_condition(chart, *item) for item in enumerate(chart.problems, 1))
        yield from (_allergy(chart, number, item, offset) for number, item in enumerate(chart.allergies, 1))
        yield from (_order(chart, number, item, offset) for number, item in enumerate(chart.orders, 1))
        yield from (_statement(chart, *item) for item in enumerate(chart.statements, 1))
        yield from (_coverage(chart, *item) for item in enumerate(chart.policies, 1))


def _self(chart: Chart) -> Json:
    return reference(f"Patient/{chart.person.id}")


def _patient(chart: Chart, records: Records, mrn_system: str) -> Json:
    person = chart.person
    number = mrn(person, mrn_system, f"{_TERMINOLOGY}/v2-0203")
    former = {**number, "use": "old", "value": person.former_mrn}
    return resource(
        "Patient",
        person.id,
        "2026-01-05",
        identifier=[former, number] if person.former_mrn else [number],
        active=True,
        name=patient_name(person, " ".join),
        telecom=phone(person),
        gender=person.gender,
        birthDate=person.birth_date,
        address=address(person),
        communication=language(person),
        generalPractitioner=[doctor_reference(person.doctor)] if person.doctor else [],
        managingOrganization=reference(f"Organization/{records.organization.id}"),
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
        reasonCode=[codeable(visit.reason)] if visit.reason else [],
        location=[place] if place else [],
    )


def _observations(chart: Chart, offset: str) -> Iterator[Json]:
    for number, taken, name, reading in readings(chart.vitals):
        elements = measured(name, reading)
        if name == "oxygen saturation":  # the vital signs profile wants 2708-6, US Core 59408-5
            elements["code"]["coding"].insert(0, coding(PULSE_OXIMETRY))
        yield resource(
            "Observation",
            f"obs-{chart.person.id}-{number}",
            date_time(taken.at, offset),
            status=taken.status,
            category=[_VITAL_SIGNS],
            subject=_self(chart),
            encounter=reference(f"Encounter/enc-{taken.visit}") if taken.visit else None,
            issued=date_time(taken.until or taken.at, offset),
            **effective(taken, offset),
            **elements,
        )


def _condition(chart: Chart, number: int, problem: Problem) -> Json:
    return resource(
        "Condition",
        f"cond-{chart.person.id}-{number}",
        problem.recorded,
        clinicalStatus=codes(f"{_TERMINOLOGY}/condition-clinical", problem.clinical) if problem.clinical else None,
        verificationStatus=codes(f"{_TERMINOLOGY}/condition-ver-status", problem.verification),
        category=[codes(f"{_TERMINOLOGY}/condition-category", "problem-list-item", "Problem List Item")],
        severity=codeable(problem.severity),
        code=codeable(problem.concept),
        subject=_self(chart),
        onsetDateTime=problem.onset,
        recordedDate=problem.recorded,
    )


def _allergy(chart: Chart, number: int, allergy: Allergy, offset: str) -> Json:
    clinical = codes(f"{_TERMINOLOGY}/allergyintolerance-clinical", allergy.clinical)
    reaction = allergy.manifestation and present(
        {
            "manifestation": [codeable(allergy.manifestation)],
            "severity": allergy.severity,
        }
    )
    recorded = date_time(allergy.recorded, offset)
    return resource(
        "AllergyIntolerance",
        f"alg-{chart.person.id}-{number}",
        recorded,
        clinicalStatus=clinical if allergy.clinical else None,
        verificationStatus=codes(f"{_TERMINOLOGY}/allergyintolerance-verification", allergy.verification),
        type=allergy.type,
        category=[allergy.category],
        criticality=allergy.criticality,
        code=codeable(allergy.substance),
        patient=_self(chart),
        recordedDate=recorded,
        note=[{"text": allergy.note}] if allergy.note else [],
        reaction=[reaction] if reaction else [],
    )


def _order(chart: Chart, number: int, order: Order, offset: str) -> Json:
    written = date_time(order.written, offset)
    drug = order.medication
    medication: Json = {"medicationCodeableConcept": codeable(drug)}
    if order.medication_as == "reference":
        label = drug.label if order.medication_shown else ""
        medication = {"medicationReference": reference(f"Medication/{medication_id(drug)}", label)}
    elif order.medication_as == "contained":
        contained = {"resourceType": "Medication", "id": "drug", "code": codeable(drug)}
        medication = {"contained": [contained], "medicationReference": reference("#drug")}
    return resource(
        "MedicationRequest",
        f"med-{chart.person.id}-{number}",
        written,
        status=order.status,
        intent="order",
        doNotPerform=order.do_not_perform or None,
        **medication,
        subject=_self(chart),
        authoredOn=written,
        requester=reference(f"Practitioner/{order.doctor.id}", order.doctor.display if order.doctor_shown else ""),
        dosageInstruction=[{"text": order.dosage}] if order.dosage else [],
        dispenseRequest={"validityPeriod": {"end": date_time(order.ended, offset)}} if order.ended else None,
    )


def _statement(chart: Chart, number: int, statement: Statement) -> Json:
    return resource(
        "MedicationStatement",
        f"stm-{chart.person.id}-{number}",
        statement.since,
        status="active",
        medicationCodeableConcept=codeable(statement.medication),
        subject=_self(chart),
        effectivePeriod={"start": statement.since},
        dateAsserted=statement.since,
        dosage=[{"text": statement.dosage}],
    )


def _coverage(chart: Chart, number: int, policy: Policy) -> Json:
    classes = (("group", "Group", policy.group), ("plan", "Plan", policy.plan))
    return resource(
        "Coverage",
        f"cov-{chart.person.id}-{number}",
        policy.start,
        status=policy.status,
        type=codes(_SYSTEMS[policy.kind.system], policy.kind.code, policy.kind.display),
        subscriber=_self(chart),
        subscriberId=policy.subscriber_id,
        beneficiary=_self(chart),
        relationship=codes(f"{_TERMINOLOGY}/subscriber-relationship", "self", "Self"),
        period=period(policy.start, policy.end, ""),
        payor=[reference(f"Organization/{policy.payer.id}", policy.payer.name)],
        **{
            "class": [
                present(
                    {
                        "type": codes(f"{_TERMINOLOGY}/coverage-class", code, display),
                        "value": value,
                        "name": name,
                    }
                )
                for code, display, (value, name) in classes
            ]
        },
    )
