"""Primitive values: each checked for its JSON type, None where it is of another."""

from gateway.versions.table import Convert, Json

DATE_LENGTH = len("2026-11-24")


def text(value: Json) -> str | None:
    """A non-empty string as it is."""
    return value if type(value) is str and value else None


def boolean(value: Json) -> bool | None:
    """True or false as it is."""
    return value if type(value) is bool else None


def integer(value: Json) -> int | None:
    """A whole number as it is."""
    return value if type(value) is int else None


def decimal(value: Json) -> int | float | None:
    """A number as it is."""
    return value if type(value) is int or type(value) is float else None


def date_of(value: Json) -> str | None:
    """The date of a dateTime: a DSTU2 `date` has no time of day."""
    return value[:DATE_LENGTH] if type(value) is str and value else None


def text_of_integer(value: Json) -> str | None:
    """A whole number, or a truth value, in digits or letters."""
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) is int else None


def positive_of_text(value: Json) -> int | None:
    """The number of a string that is nothing but digits."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < DATE_LENGTH:
        return int(value) or None
    return None


def positive_of_integer(value: Json) -> int | None:
    """A whole number above zero."""
    return value if type(value) is int and value > 0 else None


TEXTS = [
    "string",
    "code",
    "uri",
    "url",
    "canonical",
    "markdown",
    "id",
    "oid",
    "uuid",
    "date",
    "dateTime",
    "instant",
    "time",
    "base64Binary",
    "xhtml",
]
PRIMITIVES: dict[str, Convert] = {
    **dict.fromkeys(TEXTS, text),
    "boolean": boolean,
    "decimal": decimal,
    "integer": integer,
    "unsignedInt": integer,
    "positiveInt": integer,
}
TO_PRIMITIVE: dict[tuple[str, str], Convert] = {
    **{(a, b): text for a in TEXTS for b in TEXTS},
    ("dateTime", "date"): date_of,
    ("instant", "date"): date_of,
    ("integer", "string"): text_of_integer,
    ("boolean", "string"): text_of_integer,
    ("positiveInt", "string"): text_of_integer,
    ("string", "positiveInt"): positive_of_text,
    ("unsignedInt", "positiveInt"): positive_of_integer,
    ("positiveInt", "integer"): integer,
    ("unsignedInt", "integer"): integer,
    ("integer", "positiveInt"): positive_of_integer,
    ("positiveInt", "unsignedInt"): integer,
}
