"""A search or read as the app asks for it, in the upstream's terms."""

import re
from dataclasses import dataclass, field
from typing import Final

from gateway.versions.codesystems import system_name
from gateway.versions.search_parameters import CODES, COMMON, PARAMETERS, PRESENTATION, upstream_codes
from gateway.versions.statements import STATUS as STATEMENT_STATUS
from gateway.versions.type_names import adapt_type_name, adapt_url
from gateway.versions.version import FhirVersion

_COMMAS: Final = re.compile(r"(?<!\\),")
_CONTAINS: Final = frozenset({"family", "given", "name"})
_DESCENDING: Final = "-"
# DSTU2's one status of an allergy, as the two parameters that took its place.
_ALLERGY_STATUS: Final = {
    "active": [("clinical-status", "active")],
    "inactive": [("clinical-status", "inactive")],
    "resolved": [("clinical-status", "resolved")],
    "confirmed": [("clinical-status", "active"), ("verification-status", "confirmed")],
    "unconfirmed": [("clinical-status", "active"), ("verification-status", "unconfirmed")],
    "refuted": [("verification-status", "refuted")],
}


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What a tenant's upstream needs beyond its release.

    `mrn_system`: prefix of a bare `identifier` value, for servers that search by `system|value` only.
    `statements_from_requests`: the server has no MedicationStatement, its MedicationRequests are asked instead.
    """

    mrn_system: str | None = None
    statements_from_requests: bool = False


@dataclass(frozen=True, slots=True)
class AdaptedInteraction:
    """The upstream's resource type and parameters.

    `unsupported` names (never values) the parameters of the app that the upstream's release cannot be asked: the caller
    refuses the search (`Prefer: handling=strict`) or says so in an outcome. `presentation` holds what concerns the
    answer's form only. `from_requests`: pass the answer through `medication_statements_from_requests` before it is
    adapted.
    """

    resource_type: str
    params: list[tuple[str, str]] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    presentation: list[tuple[str, str]] = field(default_factory=list)
    from_requests: bool = False


def adapt_interaction(
    resource_type: str,
    params: list[tuple[str, str]],
    face: FhirVersion,
    upstream: FhirVersion,
    options: RequestOptions | None = None,
) -> AdaptedInteraction:
    """Return what to ask the upstream, given what the app asked the face.

    Also where both are of one release: `id` becomes `_id`, both sort syntaxes become the upstream's own, `family`,
    `given` and `name` of a Patient become `:contains` on the DSTU2 and STU3 faces, `Coverage?patient` the parameter
    that exists. Parameters keep their order; `_sort` comes last. Nothing is dropped unreported.
    """
    wanted = options or RequestOptions()
    from_requests = wanted.statements_from_requests and resource_type == "MedicationStatement"
    asked = adapt_type_name("MedicationRequest" if from_requests else resource_type, face, FhirVersion.R4)
    if asked == "MedicationOrder":
        asked = "MedicationRequest"
    result = AdaptedInteraction(
        resource_type=adapt_type_name(asked, FhirVersion.R4, upstream), from_requests=from_requests
    )
    translate = _Translation(asked, resource_type, face, upstream, wanted, result)
    sort: list[str] = []
    for name, value in params:
        if name in PRESENTATION:
            result.presentation.append((name, value))
        elif name.partition(":")[0] == "_sort":
            sort += translate.sort_keys(name, value)
        elif name.partition(":")[0] in ("_include", "_revinclude"):
            translate.include(name, value)
        else:
            translate.parameter("_id" if name == "id" else name, value)
    if sort:
        result.params.extend(_sort_params(sort, upstream))
    return result


def _sort_params(keys: list[str], upstream: FhirVersion) -> list[tuple[str, str]]:
    if upstream is not FhirVersion.DSTU2:
        return [("_sort", ",".join(keys))]
    return [
        ("_sort:desc", key.removeprefix(_DESCENDING)) if key.startswith(_DESCENDING) else ("_sort:asc", key)
        for key in keys
    ]


@dataclass(frozen=True, slots=True)
class _Translation:
    asked: str
    by_face: str
    face: FhirVersion
    upstream: FhirVersion
    options: RequestOptions
    result: AdaptedInteraction

    def name(self, name: str) -> str | None:
        """Return the upstream's name of a parameter without modifier, None where it has none."""
        if self.asked == "Coverage" and name == "patient":
            return {FhirVersion.DSTU2: None, FhirVersion.STU3: "beneficiary", FhirVersion.R4: "patient"}[self.upstream]
        if self.result.from_requests:
            if name in ("effective", "effectivedate"):
                return "datewritten" if self.upstream is FhirVersion.DSTU2 else "authoredon"
            return name if name in ("patient", "code", "medication", "identifier", "status", *COMMON) else None
        if name in COMMON or self.face is self.upstream:
            return name
        names = PARAMETERS.get(self.asked)
        return None if names is None else names[self.face, self.upstream].get(name)

    def parameter(self, full_name: str, value: str) -> None:
        head, dot, chain = full_name.partition(".")
        name, colon, modifier = head.partition(":")
        if self.asked == "AllergyIntolerance" and name == "status" and self.face is not self.upstream:
            self.allergy_status(full_name, value)
            return
        upstream_name = self.name(name)
        if upstream_name is None or name == "_has" or (dot and self.face is not self.upstream and "." in chain):
            self.result.unsupported.append(full_name)
            return
        if modifier and modifier[0].isupper():
            modifier = adapt_type_name(modifier, self.face, self.upstream)
        if self.asked == "Patient" and name in _CONTAINS and not colon and self.face is not FhirVersion.R4:
            colon, modifier = ":", "contains"
        translated = value if dot else self.values(upstream_name, value)
        if translated is None:
            self.result.unsupported.append(full_name)
            return
        self.result.params.append((f"{upstream_name}{colon}{modifier}{dot}{chain}", translated))

    def values(self, name: str, value: str) -> str | None:
        """Return the alternatives of a value in the upstream's terms, None where one of them has no counterpart."""
        parts: list[str] = []
        for part in _COMMAS.split(value):
            parts += self.alternative(name, part)
        return ",".join(parts) or (value or None)

    def alternative(self, name: str, value: str) -> list[str]:
        system, bar, code = value.rpartition("|")
        if name == "identifier" and not bar and self.options.mrn_system is not None and self.asked == "Patient":
            return [f"{self.options.mrn_system}|{value}"]
        if self.result.from_requests and name == "status":
            return self.request_statuses(code)
        if self.face is self.upstream:
            return [value]
        table = CODES.get((self.asked, name))
        if table is not None:
            system = f"{system_name(system, self.face, self.upstream)}|" if bar else ""
            return [f"{system}{there}" for there in upstream_codes(table, code, self.face, self.upstream)]
        if bar:
            head, first_bar, rest = value.partition("|")
            return [f"{system_name(head, self.face, self.upstream)}{first_bar}{rest}"]
        return [adapt_url(value, self.face, self.upstream)]

    def request_statuses(self, code: str) -> list[str]:
        """Return the statuses of the requests whose statements the face would see in this status."""
        table = CODES["MedicationStatement", "status"]
        stated = upstream_codes(table, code, self.face, self.upstream)
        return [asked for asked, status in STATEMENT_STATUS[self.upstream].items() if status in stated]

    def allergy_status(self, full_name: str, value: str) -> None:
        """Split DSTU2's status; alternatives of different parameters cannot be asked in one search."""
        asked = _ALLERGY_STATUS.get(value) if self.face is FhirVersion.DSTU2 else None
        if asked is None or ":" in full_name:
            self.result.unsupported.append(full_name)
        else:
            self.result.params.extend(asked)

    def sort_keys(self, name: str, value: str) -> list[str]:
        direction = _DESCENDING if name.partition(":")[2] == "desc" else ""
        keys = []
        for raw in filter(None, value.split(",")):
            sign = _DESCENDING if raw.startswith(_DESCENDING) else direction
            key = raw.removeprefix(_DESCENDING)
            there = self.name("_id" if key == "id" else key)
            if there is None:
                self.result.unsupported.append(name)
            else:
                keys.append(sign + there)
        return keys

    def include(self, name: str, value: str) -> None:
        """Translate `Type:parameter[:Target]`, where the type may be one of the app's own name."""
        words = value.split(":")
        if self.face is self.upstream and not self.result.from_requests:
            self.result.params.append((name, value))
            return
        r4_type = adapt_type_name(words[0], self.face, FhirVersion.R4)
        names = PARAMETERS.get(r4_type, {}).get((self.face, self.upstream), {})
        there = names.get(words[1]) if len(words) > 1 else None
        if there is None or self.result.from_requests:
            self.result.unsupported.append(name)
            return
        targets = [adapt_type_name(word, self.face, self.upstream) for word in words[2:]]
        self.result.params.append(
            (name, ":".join([adapt_type_name(words[0], self.face, self.upstream), there, *targets]))
        )
