"""The requests of the app (interface §4, §5), and the same in the terms of the standard for a server alone.

Through the gateway the app's own wording is sent, its quirks included (`id`, `_sort:desc` in STU3, `Coverage?patient`).
The server alone is never asked those by the gateway, so it is not asked them here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.versions import FhirVersion

type Pairs = Sequence[tuple[str, str]]
type Side = Literal["server", "gateway"]

CHART_COUNT = "50"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the check. `shown` is what a report says of it: no values of patients, no credentials."""

    probe: str
    method: str
    path: str
    shown: str
    query: Pairs = ()
    form: Pairs | None = None
    body: Mapping[str, Any] | None = None
    patient: str = ""
    """Whom it is about; stays in memory."""
    anonymous: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def call(self) -> str:
        """The kind of request, for the table of times."""
        path = self.shown.partition(" ")[2].partition("?")[0].partition(" ")[0]
        return f"{self.method} {path or 'batch'}"


@dataclass(frozen=True, slots=True)
class ChartSearch:
    """One search of a patient's chart; `patient` is the parameter that names the patient."""

    kind: str
    patient: str
    further: tuple[tuple[str, str], ...] = ()


_NEWEST_DSTU2, _NEWEST = ("_sort:desc", "date"), ("_sort", "-date")
_VITALS = ("category", "vital-signs")
_COUNTED = ("_count", CHART_COUNT)


def chart_searches(version: FhirVersion, side: Side) -> tuple[ChartSearch, ...]:
    """What is asked about every patient of the sample. A kind that the version cannot be asked for is left out."""
    dstu2 = version is FhirVersion.DSTU2
    newest = _NEWEST_DSTU2 if dstu2 else _NEWEST
    # Quirk of the app: DSTU2's syntax in STU3, for encounters only (§4).
    last = _NEWEST_DSTU2 if side == "gateway" and version is not FhirVersion.R4 else newest
    searches = [
        ChartSearch("observation", "patient", (_VITALS, newest)),
        ChartSearch("condition", "patient", (_COUNTED,)),
        ChartSearch("encounter", "patient", (last, _COUNTED)),
        ChartSearch("allergy", "patient"),
        ChartSearch("medication", "patient", (_COUNTED,)),
    ]
    if side == "gateway":
        searches.append(ChartSearch("coverage", "patient"))
    elif not dstu2:  # DSTU2 knows no search of Coverage by patient
        searches.append(ChartSearch("coverage", "beneficiary" if version is FhirVersion.STU3 else "patient"))
    return tuple(searches)


def id_parameter(side: Side) -> str:
    """The app says `id` where the standard says `_id`."""
    return "id" if side == "gateway" else "_id"


def contains(name: str, version: FhirVersion, side: Side) -> str:
    """A search for a part of a name: the app writes the modifier for DSTU2's `family` only, and means it always."""
    if side == "server" or version is FhirVersion.R4 or (version is FhirVersion.DSTU2 and name == "family"):
        return f"{name}:contains"
    return name


def shown_pairs(pairs: Pairs) -> str:
    """Parameters with placeholders for everything that is not the app's own constant."""
    constant = {_VITALS, _NEWEST_DSTU2, _NEWEST, ("_total", "accurate")}
    return "&".join(
        f"{name}={value}" if (name, value) in constant or name == "_count" else f"{name}={{{name.partition(':')[0]}}}"
        for name, value in pairs
    )
