"""Where the tables are found, and the conversions between datatypes that the tables take for granted."""

from functools import cache
from typing import Final

from gateway.versions.table import Convert, Json, JsonObject, Table

ANNOTATION_SEPARATOR: Final = "\n"


@cache
def tables() -> dict[str, Table]:
    """Return every table by the name of its type."""
    from gateway.versions import datatypes, dosage, resources  # noqa: PLC0415 - the tables name functions that use this module

    return {one.name: one for one in (*datatypes.TABLES, *dosage.TABLES, *resources.TABLES)}


def find_table(type_name: str) -> Table:
    """Return the table of a type; `KeyError` for one that no table describes."""
    return tables()[type_name]


def texts_of(value: Json) -> list[str]:
    """Return the texts of Annotations."""
    items = value if type(value) is list else [value]
    return [i["text"] for i in items if type(i) is dict and type(i.get("text")) is str and i["text"]]


def joined_text(value: Json) -> str | None:
    """The texts of all Annotations, one a line."""
    return ANNOTATION_SEPARATOR.join(texts_of(value)) or None


def joined_annotation(value: Json) -> JsonObject | None:
    """One Annotation with the texts of all, one a line; authors and times have no place in it."""
    text = joined_text(value)
    return None if text is None else {"text": text}


def annotation_of(value: Json) -> JsonObject | None:
    """An Annotation of a string."""
    return {"text": value} if type(value) is str and value else None


def first_coding(value: JsonObject) -> Json:
    """The first Coding of a CodeableConcept."""
    codings = value.get("coding")
    return codings[0] if codings else None


def concept_of_coding(value: JsonObject) -> JsonObject:
    """A CodeableConcept of one Coding."""
    return {"coding": [value]}


def _as_it_is(value: Json) -> Json:
    return value


# After the source's own conversion: what the target's type makes of the value.
CONVERSIONS: Final[dict[tuple[str, str], Convert]] = {
    ("string", "Annotation"): annotation_of,
    ("CodeableConcept", "Coding"): first_coding,
    ("Coding", "CodeableConcept"): concept_of_coding,
    **{(a, b): _as_it_is for a in ("Age", "Duration", "Count", "Distance") for b in ("Quantity",)},
    **{("Quantity", b): _as_it_is for b in ("Age", "Duration")},
}
# Lists that become one by joining.
JOINS: Final[dict[tuple[str, str], Convert]] = {
    ("Annotation", "string"): joined_text,
    ("Annotation", "Annotation"): joined_annotation,
}
