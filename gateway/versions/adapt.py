"""One resource in the terms of another release."""

from gateway.versions.adaptation import Adaptation, UnmappedResourceType
from gateway.versions.compile import converter
from gateway.versions.mirror import mark_mrn, mirror_texts
from gateway.versions.registry import tables
from gateway.versions.table import Json, JsonObject, NotExpressibleError
from gateway.versions.type_names import TYPES, adapt_type_name
from gateway.versions.version import FhirVersion

_ENTERED_IN_ERROR = "entered-in-error"


def adapt_resource(resource: JsonObject, adaptation: Adaptation) -> JsonObject | None:
    """Return the resource as the target release writes it, None where it must not be shown there.

    It must not where it was entered in error (also when source and target are the same release: the app does not
    look at the status of what it lists), or where something that changes its meaning has no counterpart:
    `doNotPerform`, a modifier extension, a status of an unknown code. The result is new; the source stays as it was
    and shares no list or object with it. Pure and deterministic. Raises `UnmappedResourceType`. For Bundle and
    OperationOutcome see `adapt_bundle`, `adapt_outcome`.
    """
    try:
        return express(resource, adaptation)
    except NotExpressibleError:
        return None


def express(resource: JsonObject, adaptation: Adaptation) -> JsonObject:
    """Like `adapt_resource`, but raises `NotExpressibleError`, whose `reason` is a fixed word, for what must not be
    shown.
    """
    resource_type = resource.get("resourceType") if type(resource) is dict else None
    if type(resource_type) is not str:
        raise UnmappedResourceType("")
    if adaptation.source is adaptation.target:
        out: JsonObject = clone(resource)
        if not complete_resource(out, adaptation):
            raise NotExpressibleError(_ENTERED_IN_ERROR)
        return out
    out = _convert(resource, resource_type, adaptation.source, adaptation.target)
    _complete(out, adaptation)
    return out


def complete_resource(resource: JsonObject, adaptation: Adaptation) -> bool:
    """What `adapt_resource` does where source and target are one release, but in place: the caller owns the resource,
    and nothing is copied. False where it must not be shown.
    """
    if _is_entered_in_error(resource):
        return False
    _complete(resource, adaptation)
    return True


def _complete(out: JsonObject, adaptation: Adaptation) -> None:
    if adaptation.mrn_system is not None and out.get("resourceType") == "Patient":
        mark_mrn(out, adaptation.mrn_system, adaptation.target)
    mirror_texts(out)


def is_mapped(resource_type: str, source: FhirVersion, target: FhirVersion) -> bool:
    """Tell whether resources of this type (by the source's name) have a mapping on the path."""
    if resource_type not in TYPES[source]:
        return False
    if source is target:
        return True
    table = tables().get(adapt_type_name(resource_type, source, FhirVersion.R4))
    return table is not None and table.is_resource


def clone(value: Json) -> Json:
    """Return a deep copy of parsed JSON."""
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    return [clone(item) for item in value] if type(value) is list else value


def _convert(resource: JsonObject, resource_type: str, source: FhirVersion, target: FhirVersion) -> JsonObject:
    if not is_mapped(resource_type, source, target):
        raise UnmappedResourceType(resource_type)
    table_name = adapt_type_name(resource_type, source, FhirVersion.R4)
    converted = converter(table_name, source, target)(resource) or {}
    out: JsonObject = {"resourceType": adapt_type_name(resource_type, source, target), **converted}
    if "contained" in resource:
        _convert_contained(resource["contained"], out, source, target)
    return out


def _convert_contained(contained: Json, out: JsonObject, source: FhirVersion, target: FhirVersion) -> None:
    kept: list[JsonObject] = []
    lost: set[str] = set()
    for one in contained if type(contained) is list else [contained]:
        if type(one) is not dict:
            continue
        one_type = one.get("resourceType")
        try:
            if type(one_type) is not str:
                raise UnmappedResourceType("")  # noqa: TRY301 - the same end as a type without mapping
            kept.append(_convert(one, one_type, source, target))
        except (UnmappedResourceType, NotExpressibleError):
            if type(one.get("id")) is str:
                lost.add("#" + one["id"])
    if kept:
        out["contained"] = kept
    if lost:
        _forget(out, lost)


def _forget(value: Json, lost: set[str]) -> bool:
    """Take references to contained resources that are gone out of the tree; tell whether anything of `value` is
    left.
    """
    if type(value) is dict:
        literal = value.get("reference")
        if type(literal) is str and literal in lost:
            del value["reference"]
        for key in [key for key, item in value.items() if type(item) in (dict, list) and not _forget(item, lost)]:
            del value[key]
        return bool(value)
    if type(value) is list:
        value[:] = [item for item in value if type(item) not in (dict, list) or _forget(item, lost)]
        return bool(value)
    return True


def _is_entered_in_error(resource: JsonObject) -> bool:
    for element in ("status", "verificationStatus"):
        value = resource.get(element)
        if value is None:
            continue
        if value == _ENTERED_IN_ERROR:
            return True
        codings = value.get("coding") if type(value) is dict else None
        if type(codings) is list and any(type(one) is dict and one.get("code") == _ENTERED_IN_ERROR for one in codings):
            return True
    return False
