"""One value or a list of them: what a repeating element becomes where the target's does not repeat, and the reverse."""

from gateway.versions.table import Convert, Json, NotExpressibleError


def single(convert: Convert) -> Convert:
    """One to one. A list of exactly one is taken for its item, as servers that err in this way mean it."""

    def one(value: Json) -> Json:
        if type(value) is list:
            return convert(value[0]) if len(value) == 1 else None
        return convert(value)

    return one


def only(convert: Convert) -> Convert:
    """One to one where misreading the value would change the meaning: a list, even of one, is refused."""

    def one(value: Json) -> Json:
        if type(value) is list:
            raise NotExpressibleError("modifier")
        return convert(value)

    return one


def lone(convert: Convert) -> Convert:
    """List to one where leaving items out would change the meaning: a list of several is refused."""

    def one(value: Json) -> Json:
        items = value if type(value) is list else [value]
        if len(items) != 1:
            raise NotExpressibleError("modifier")
        return convert(items[0])

    return one


def many(convert: Convert) -> Convert:
    """List to list, without the items that have no counterpart. A lone item is taken for a list of one."""

    def each(value: Json) -> Json:
        if type(value) is not list:
            value = [value]
        return [item for item in map(convert, value) if item is not None] or None

    return each


def many_primitives(convert: Convert) -> Convert:
    """List to list in place: `_field` siblings are matched by position, so an item without counterpart becomes null."""

    def each(value: Json) -> Json:
        items = [convert(item) for item in (value if type(value) is list else [value])]
        return items if any(item is not None for item in items) else None

    return each


def first(convert: Convert) -> Convert:
    """List to one: the first item that has a counterpart."""

    def one(value: Json) -> Json:
        for item in value if type(value) is list else [value]:
            result = convert(item)
            if result is not None:
                return result
        return None

    return one


def wrap(convert: Convert) -> Convert:
    """One to a list of one."""
    inner = single(convert)

    def one(value: Json) -> Json:
        result = inner(value)
        return None if result is None else [result]

    return one
