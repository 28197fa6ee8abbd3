"""What stands in the resources: every element that the app must find or also reads (§4, §5), and its shape."""

from collections.abc import Callable

from gateway.conformance.evidence import Evidence
from gateway.conformance.fields import KINDS, SECTIONS, Field, Kind, kind_of
from gateway.conformance.paths import Resource, values
from gateway.conformance.shapes import SHAPES, wrong_shapes
from gateway.conformance.validity import can_validate, problems
from gateway.conformance.verdicts import Check, Severity, Verdict, met, partly, unmet, untested
from gateway.versions import FhirVersion

_EXAMPLES = 3
_MOST_LOCATIONS = 8


def shape_checks(version: FhirVersion) -> tuple[Check, ...]:
    checks: list[Check] = []
    for kind in KINDS[version]:
        section = f"interface {SECTIONS[version]}: {kind.resource_type}"
        checks.append(
            Check(
                f"{kind.name}.shape",
                f"{kind.resource_type}: what the app reads is written as {version} writes it",
                section,
                Severity.MUST,
                _about(_shape, kind.name),
                f"Write these elements as FHIR {version} defines them (list, object or text).",
                (f"{kind.name}.search",),
            )
        )
        checks.append(
            Check(
                f"{kind.name}.valid",
                f"{kind.resource_type} follows the rules of FHIR {version}",
                section,
                Severity.SHOULD,
                _about(_valid, kind.name),
                "Correct the resources at these locations; a FHIR validator tells the details.",
                (f"{kind.name}.search", f"{kind.name}.shape"),
            )
        )
    return tuple(checks)


def field_checks(version: FhirVersion) -> tuple[Check, ...]:
    return tuple(_field_check(version, kind, field) for kind in KINDS[version] for field in kind.fields)


def _field_check(version: FhirVersion, kind: Kind, field: Field) -> Check:
    return Check(
        f"{kind.name}.{field.name}",
        f"{kind.resource_type}: the app {'must find' if field.must else 'also reads'} {field.path}",
        f"interface {SECTIONS[version]}: {kind.resource_type}",
        Severity.MUST if field.must else Severity.SHOULD,
        lambda evidence: _field(evidence, kind, field),
        f"Fill {kind.resource_type}.{field.path}.",
        (f"{kind.name}.search",),
    )


def _about(test: Callable[[Evidence, str], Verdict], kind: str) -> Callable[[Evidence], Verdict]:
    return lambda evidence: test(evidence, kind)


def _shape(evidence: Evidence, kind: str) -> Verdict:
    resources, sent = evidence.resources(kind), evidence.sent(kind)
    resource_type = evidence.resource_type(kind)
    if not resources:
        return untested(f"no {resource_type} in the sample")
    wrong = wrong_shapes(resources, SHAPES[evidence.version][kind])
    if wrong:
        return unmet(
            *(f"{resource_type}.{path}: wrong in {count} of {len(resources)}" for path, count in wrong.items()),
            sent=sent,
        )
    return met(f"all {len(resources)}", sent=sent)


def _valid(evidence: Evidence, kind: str) -> Verdict:
    resources, sent = evidence.resources(kind), evidence.sent(kind)
    resource_type = evidence.resource_type(kind)
    if not can_validate(evidence.version):
        return untested(f"there are no models of {evidence.version}: the checks of shapes and fields stand for it")
    if not resources:
        return untested(f"no {resource_type} in the sample")
    found: dict[str, int] = {}
    for resource in resources:
        for location in problems(resource, evidence.version):
            found[location] = found.get(location, 0) + 1
    if found:
        shown = [f"{location}: wrong in {count} of {len(resources)}" for location, count in sorted(found.items())]
        return unmet(*shown[:_MOST_LOCATIONS], sent=sent)
    return met(f"all {len(resources)}", sent=sent)


def _field(evidence: Evidence, kind: Kind, field: Field) -> Verdict:
    kind = kind_of(evidence.version, kind.name)
    resources, sent = evidence.resources(kind.name), evidence.sent(kind.name)
    held = [one for one in resources if not field.when or values(one, field.when)]
    if not held:
        return untested(f"no {kind.resource_type}{' with ' + field.when if field.when else ''} in the sample")
    shapes = SHAPES[evidence.version][kind.name]
    if wrong_shapes(held, {path: shape for path, shape in shapes.items() if _touches(path, field.path)}):
        return untested("written in another shape: see the check of shapes")
    lacking = [one for one in held if not values(one, field.path)]
    count = len(held) - len(lacking)
    found = f"{kind.resource_type}.{field.path}: {count} of {len(held)}"
    beside = _beside(evidence, field, lacking)
    if beside:
        found = f"{found}; in {beside} for the others"
    if not count:
        return unmet(found, sent=sent, beside=beside)
    examples = tuple(str(value) for one in held for value in values(one, field.path))[:_EXAMPLES]
    if lacking and field.must:
        return partly(found, sent=sent, examples=examples, beside=beside)
    return met(found, sent=sent, examples=examples)


def _touches(wrong: str, path: str) -> bool:
    plain = path.replace("[0]", "")
    return any(one == wrong or one.startswith(f"{wrong}.") for one in plain.split(" | "))


def _beside(evidence: Evidence, field: Field, lacking: list[Resource]) -> str:
    """Where the gateway finds what is lacking, when it does for every resource; empty when not."""
    path = field.beside
    if field.name == "mrn" and evidence.mrn_system:
        path = f"identifier.where(system='{evidence.mrn_system}').value"
    if not path or not lacking or not all(values(one, path) for one in lacking):
        return ""
    return "the identifier of the tenant's MRN system" if field.name == "mrn" else path
