"""References: renamed types, targets that the release does not have, and what DSTU2 leaves of them."""

from gateway.versions.table import Convert, Json, JsonObject
from gateway.versions.type_names import TYPES, adapt_type_name, adapt_url, type_of
from gateway.versions.version import FhirVersion


def reference_of(convert: Convert, source: FhirVersion, target: FhirVersion, targets: tuple[str, ...]) -> Convert:
    """Return the conversion of a Reference whose element may point to `targets` (none named: to any type of the
    release).

    `convert` is that of the datatype. A reference to anything else keeps what a reader sees, its display. None
    without either.
    """
    allowed = frozenset(targets) or TYPES[target]

    def one(value: Json) -> JsonObject | None:
        out: JsonObject | None = convert(value)
        if out is None:
            return None
        literal = out.get("reference")
        named = type_of(literal) if literal is not None else None
        hint = value.get("type")
        if named is None and type(hint) is str and source is FhirVersion.R4:
            named = hint.rpartition("/")[2]
        if named is not None:
            if adapt_type_name(named, source, target) not in allowed:
                out.pop("reference", None)
                out.pop("_reference", None)
                out.pop("identifier", None)
                return out if "display" in out else None
            if literal is not None:
                out["reference"] = adapt_url(literal, source, target)
        return out if len(out) > 1 or "id" not in out else None

    return one
