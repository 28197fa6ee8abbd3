"""What a chart says, independent of a FHIR version.

Times are `YYYY-MM-DDTHH:MM` in the hospital's own time, dates `YYYY-MM-DD`. Statuses and classes
carry R4's codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from local.sandbox.charts.terms import Concept

type Reading = float | tuple[int, int]


@dataclass(frozen=True)
class Doctor:
    """A practitioner."""

    id: str
    family: str
    given: str

    @property
    def display(self) -> str:
        """The name as references show it."""
        return f"Dr. {self.given} {self.family}"


@dataclass(frozen=True)
class Place:
    """A location; `kind` is a v3 RoleCode."""

    id: str
    name: str
    kind: Concept


@dataclass(frozen=True)
class Payer:
    """An organization that pays."""

    id: str
    name: str


@dataclass(frozen=True)
class Visit:
    """An encounter; without `end` it still goes on. `place_shown`: the reference has a display."""

    key: str
    kind: Concept
    setting: Literal["IMP", "AMB", "EMER"]
    start: str
    end: str = ""
    place: Place | None = None
    place_shown: bool = True
    reason: Concept | None = None
    doctor: Doctor | None = None


@dataclass(frozen=True)
class Vitals:
    """Readings taken together, by the names of terms.VITALS."""

    at: str
    readings: Mapping[str, Reading]
    visit: str = ""
    until: str = ""
    status: str = "final"


@dataclass(frozen=True)
class Problem:
    """A condition."""

    concept: Concept
    recorded: str
    severity: Concept | None = None
    onset: str = ""
    clinical: str = "active"
    verification: str = "confirmed"


@dataclass(frozen=True)
class Allergy:
    """An allergy or intolerance; `clinical` is empty where the verification leaves no room for it."""

    substance: Concept
    category: str
    recorded: str
    manifestation: Concept | None = None
    severity: str = ""
    criticality: str = "low"
    note: str = ""
    clinical: str = "active"
    verification: str = "confirmed"
    type: str = "allergy"


@dataclass(frozen=True)
class Order:
    """A prescription; `medication_as` says how the resource points at what is prescribed."""

    medication: Concept
    written: str
    dosage: str
    doctor: Doctor
    status: str = "active"
    ended: str = ""
    medication_as: Literal["concept", "reference", "contained"] = "concept"
    medication_shown: bool = True
    doctor_shown: bool = True
    do_not_perform: bool = False


@dataclass(frozen=True)
class Statement:
    """A medication that the patient says to take."""

    medication: Concept
    since: str
    dosage: str


@dataclass(frozen=True)
class Policy:
    """What a payer covers; group and plan are (value, name)."""

    payer: Payer
    subscriber_id: str
    group: tuple[str, str]
    plan: tuple[str, str]
    kind: Concept
    start: str
    end: str = ""
    status: str = "active"


@dataclass(frozen=True)
class Person:
    """A patient's demographics; `other_name` is (family, given) in another script or form."""

    id: str
    mrn: str
    family: tuple[str, ...]
    given: tuple[str, ...]
    gender: str
    birth_date: str
    prefix: str = ""
    other_name: tuple[str, str] | None = None
    former_mrn: str = ""
    language: str = "en"
    phone: str = ""
    address: tuple[str, str, str] | None = None
    """Line, city and postal code."""
    doctor: Doctor | None = None


@dataclass(frozen=True)
class Chart:
    """All that a hospital knows about one patient."""

    person: Person
    visits: tuple[Visit, ...] = ()
    vitals: tuple[Vitals, ...] = ()
    problems: tuple[Problem, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    orders: tuple[Order, ...] = ()
    statements: tuple[Statement, ...] = ()
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True)
class Records:
    """A hospital's records; `utc_offset` like `-05:00`."""

    organization: Payer
    utc_offset: str
    doctors: tuple[Doctor, ...]
    places: tuple[Place, ...]
    payers: tuple[Payer, ...]
    charts: tuple[Chart, ...]


def series(
    visit: str, start: str, every_hours: int, rows: Sequence[tuple[int, int, int, int, float, int]]
) -> tuple[Vitals, ...]:
    """Return a ward's vitals; a row: systolic, diastolic, heart rate, respiratory rate, temperature, SpO2."""
    first = datetime.fromisoformat(start)
    return tuple(
        Vitals(
            (first + timedelta(hours=every_hours * number)).isoformat(timespec="minutes"),
            {
                "blood pressure": (systolic, diastolic),
                "heart rate": heart,
                "respiratory rate": breath,
                "temperature": temperature,
                "oxygen saturation": saturation,
            },
            visit,
        )
        for number, (systolic, diastolic, heart, breath, temperature, saturation) in enumerate(rows)
    )
