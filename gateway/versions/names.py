"""The family name: one string in R4 and STU3, a list in DSTU2."""

from gateway.versions.table import JsonObject


def same_family(source: JsonObject, out: JsonObject) -> None:
    """Copy the family name between releases that write it alike."""
    family = source.get("family")
    if type(family) is str and family:
        out["family"] = family
    _sibling(source, out, listed=False)


def family_to_list(source: JsonObject, out: JsonObject) -> None:
    """One family name, as DSTU2 lists it."""
    family = source.get("family")
    if type(family) is str and family:
        out["family"] = [family]
    _sibling(source, out, listed=True)


def family_to_text(source: JsonObject, out: JsonObject) -> None:
    """The family names of a DSTU2 name, joined by a space (HL7 keeps the first and hides the others in an
    extension).
    """
    family = source.get("family")
    words = [word for word in (family if type(family) is list else [family]) if type(word) is str and word]
    if words:
        out["family"] = " ".join(words)


def _sibling(source: JsonObject, out: JsonObject, *, listed: bool) -> None:
    """Move a data-absent-reason, the one extension of a family name that a reader cannot do without."""
    sibling = source.get("_family")
    if "family" in out or "family" in source or type(sibling) is not dict:
        return
    kept = [
        {"url": one["url"], "valueCode": one["valueCode"]}
        for one in (sibling["extension"] if type(sibling.get("extension")) is list else ())
        if type(one) is dict and type(one.get("url")) is str and type(one.get("valueCode")) is str
    ]
    if kept:
        out["_family"] = [{"extension": kept}] if listed else {"extension": kept}
