"""Code tables: the same status, role or category as each release writes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.versions.table import COLUMNS, Convert, Json, NotExpressibleError
from gateway.versions.version import FhirVersion

OMIT = "-"
HIDE = "hide"


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A code in DSTU2, STU3 and R4, one line per meaning.

    Looking a code up takes the first line that holds it in the source's column. `-`: the element is left out;
    `hide`: what carries the code is not shown at all. A code that is not in the table is not expressible, which
    matters where the element is a modifier. `concept` names the code systems by which an R4 CodeableConcept carries
    the code (the first one is written, the others are read as well).
    """

    name: str
    maps: Mapping[tuple[FhirVersion, FhirVersion], Mapping[str, str]]
    concept: tuple[str, ...] = ()

    def on_path(self, source: FhirVersion, target: FhirVersion) -> Convert:
        """Return a conversion of one code (or of the CodeableConcept that holds it) to the target's code, `-` or
        None.
        """
        mapping = self.maps[source, target]

        def convert(value: Json) -> Json:
            code = value if isinstance(value, str) else self.code_of(value, self.concept, mapping)
            result = mapping.get(code) if code is not None else None
            if result == HIDE:
                raise NotExpressibleError("entered-in-error" if code == "entered-in-error" else "no-counterpart")
            return result

        return convert

    @staticmethod
    def code_of(value: Json, systems: tuple[str, ...], mapping: Mapping[str, str]) -> str | None:
        """Return the code that a CodeableConcept carries in one of the systems, None without one; of several, one that
        hides.
        """
        codings = value.get("coding") if isinstance(value, dict) else None
        known = [
            coding["code"]
            for coding in (codings if isinstance(codings, list) else ())
            if isinstance(coding, dict)
            and isinstance(coding.get("code"), str)
            and coding["code"] in mapping
            and coding.get("system") in (None, *systems)
        ]
        return next((code for code in known if mapping[code] == HIDE), known[0] if known else None)


def codes(name: str, text: str, *, concept: tuple[str, ...] = ()) -> CodeTable:
    """Read a code table from lines `dstu2 stu3 r4`; every path between the columns is read off the same lines."""
    lines = [line.split() for line in text.strip().splitlines()]
    maps: dict[tuple[FhirVersion, FhirVersion], dict[str, str]] = {}
    for i, source in enumerate(COLUMNS):
        for j, target in enumerate(COLUMNS):
            mapping = maps.setdefault((source, target), {})
            for line in lines:
                if len(line) != len(COLUMNS):
                    raise ValueError(f"three codes a line in {name}: {line}")
                if line[i] not in (OMIT, HIDE):
                    mapping.setdefault(line[i], line[j])
    return CodeTable(name, maps, concept)


@dataclass(frozen=True, slots=True)
class rule:  # noqa: N801 - used as a decorator in the tables' modules
    """A function of one value that serves every path."""

    function: Callable[[Any], Any]

    def on_path(self, source: FhirVersion, target: FhirVersion) -> Convert:  # noqa: ARG002 - the protocol's signature
        """Return the function itself."""
        return self.function
