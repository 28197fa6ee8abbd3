"""Resources that DSTU2, STU3 and R4 write alike but for their systems and the shape of a family name."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from local.sandbox.charts.elements import Json, codes, present, reference, resource
from local.sandbox.charts.model import Person, Records
from local.sandbox.charts.terms import Concept

_SET_UP = "2024-01-15T08:00:00Z"

type FamilyWriter = Callable[[Sequence[str]], object]


def patient_name(person: Person, family: FamilyWriter) -> list[Json]:
    """Return the names of a patient; `family` writes the family names as the version wants them."""
    official = present(
        {
            "use": "official",
            "family": family(person.family),
            "given": list(person.given),
            "prefix": [person.prefix] if person.prefix else [],
        }
    )
    if person.other_name is None:
        return [official]
    other_family, other_given = person.other_name
    return [official, {"use": "usual", "family": family([other_family]), "given": [other_given]}]


def mrn(person: Person, system: str, type_system: str) -> Json:
    """Return the medical record number (v2 table 0203, MR)."""
    kind = {**codes(type_system, "MR", "Medical record number"), "text": "MRN"}
    return {"use": "usual", "type": kind, "system": system, "value": person.mrn}


def phone(person: Person) -> list[Json]:
    """Return the home phone, if known."""
    return [{"system": "phone", "value": person.phone, "use": "home"}] if person.phone else []


def address(person: Person) -> list[Json]:
    """Return the home address, if known."""
    if person.address is None:
        return []
    line, city, postal_code = person.address
    return [{"use": "home", "line": [line], "city": city, "postalCode": postal_code}]


def language(person: Person) -> list[Json]:
    """Return the preferred language."""
    return [{"language": codes("urn:ietf:bcp:47", person.language), "preferred": True}]


def directory(
    records: Records,
    systems: Mapping[str, str],
    name: Callable[[str, str], object],
    location_type: Callable[[Json], object],
) -> Iterator[Json]:
    """Yield the organizations, practitioners and locations.

    `name` writes a practitioner's name from family and given, `location_type` puts a CodeableConcept into
    Location.type; `systems` gives the version's URI for a v3 vocabulary.
    """
    for organization in (records.organization, *records.payers):
        yield resource("Organization", organization.id, _SET_UP, active=True, name=organization.name)
    for doctor in records.doctors:
        yield resource("Practitioner", doctor.id, _SET_UP, active=True, name=name(doctor.family, doctor.given))
    for place in records.places:
        kind = codes(systems[place.kind.system], place.kind.code, place.kind.display)
        yield resource(
            "Location",
            place.id,
            _SET_UP,
            status="active",
            name=place.name,
            mode="instance",
            type=location_type(kind),
            managingOrganization=reference(f"Organization/{records.organization.id}", records.organization.name),
        )


def medication_id(concept: Concept) -> str:
    """Return the id of the Medication resource of a drug."""
    return f"rx{concept.code}"


def referenced_medications(records: Records) -> list[Concept]:
    """Return the drugs that some order points at with a reference, once each."""
    orders = (order for chart in records.charts for order in chart.orders)
    return sorted({order.medication for order in orders if order.medication_as == "reference"})
