"""Tables to functions: for each type and path, built at first use, one function that turns an object into the
target's.
"""

from collections.abc import Iterator
from functools import cache

from gateway.versions import shapes
from gateway.versions.codes import OMIT
from gateway.versions.codesystems import move_coding
from gateway.versions.primitives import PRIMITIVES, TO_PRIMITIVE
from gateway.versions.references import reference_of
from gateway.versions.registry import CONVERSIONS, JOINS, find_table
from gateway.versions.table import Cell, Convert, Json, JsonObject, NotExpressibleError, Row, Step, Table
from gateway.versions.version import FhirVersion

_WITH_SYSTEM = frozenset({"Coding", "Quantity", "Age", "Count", "Distance", "Duration"})
_FORBIDDEN = {"modifierExtension": "modifier-extension", "implicitRules": "implicit-rules"}


def type_key(name: str, type_name: str) -> str:
    """Return the JSON key of one type of a choice: `value` and `dateTime` make `valueDateTime`."""
    return name + type_name[0].upper() + type_name[1:]


@cache
def converter(type_name: str, source: FhirVersion, target: FhirVersion) -> Convert:
    """Return the function that turns a value of this type into the target release's, or into None.

    A resource that cannot be expressed safely raises `NotExpressibleError`; a part of one becomes None.
    """
    if type_name in PRIMITIVES:
        return PRIMITIVES[type_name]
    built: list[Convert] = []

    def late(
        value: Json,
    ) -> Json:  # types hold each other (an Extension a Reference, a Reference an Extension): build when asked
        if not built:
            built.append(_build(type_name, source, target))
        return built[0](value)

    return late


def reference(source: FhirVersion, target: FhirVersion, targets: tuple[str, ...] = ()) -> Convert:
    """Return the conversion of a Reference that may point to `targets` only (none named: to any type of the
    release).
    """
    return reference_of(converter("Reference", source, target), source, target, targets)


def _build(type_name: str, source: FhirVersion, target: FhirVersion) -> Convert:
    table = find_table(type_name)
    convert = _object_converter(table, source, target)
    if not table.is_resource:
        convert = _part(convert)
    if type_name in _WITH_SYSTEM:
        return _coding(convert, source, target)
    if type_name == "CodeableConcept":
        return _concept(convert)
    return convert


def _object_converter(table: Table, source: FhirVersion, target: FhirVersion) -> Convert:
    entries: dict[str, tuple[str, Convert]] = {}
    siblings: dict[str, tuple[str, Convert]] = {}
    needs: list[tuple[frozenset[str], frozenset[str], bool]] = []
    for row in table.rows:
        entries.update(_entries(table, row, source, target))
        siblings.update(_siblings(row, source, target))
        here, there = row.cells[source], row.cells[target]
        if there is not None and there.required:
            needs.append(_need(here, there))
    steps = (*table.steps.get((source, target), ()), *table.defaults.get(target, ()))
    return _object_loop(entries, siblings, needs, steps)


def _object_loop(
    entries: dict[str, tuple[str, Convert]],
    siblings: dict[str, tuple[str, Convert]],
    needs: list[tuple[frozenset[str], frozenset[str], bool]],
    steps: tuple[Step, ...],
) -> Convert:
    entry_of = entries.get

    def convert(value: Json) -> Json:
        if type(value) is not dict:
            return None
        out: JsonObject = {}
        others = False
        for key, item in value.items():
            entry = entry_of(key)
            if entry is None:
                others = True
            else:
                result = entry[1](item)
                if result is not None:
                    out[entry[0]] = result
        if others:
            _refuse_forbidden(value)
            _move_siblings(value, out, siblings)
        for step in steps:
            step(value, out)
        if needs:
            _require(value, out, needs)
        return out or None

    return convert


def _need(here: Cell | None, there: Cell) -> tuple[frozenset[str], frozenset[str], bool]:
    return _keys(there), _keys(here) if here else frozenset(), bool(here and here.required)


def _refuse_forbidden(value: JsonObject) -> None:
    for key, reason in _FORBIDDEN.items():
        if value.get(key):
            raise NotExpressibleError(reason)


def _require(value: JsonObject, out: JsonObject, needs: list[tuple[frozenset[str], frozenset[str], bool]]) -> None:
    """What the target requires must be there, unless the source required it as well and was without it already."""
    for keys, had, was_required in needs:
        if keys.isdisjoint(out) and not (was_required and had.isdisjoint(value)):
            raise NotExpressibleError("required-element")


def _move_siblings(value: JsonObject, out: JsonObject, siblings: dict[str, tuple[str, Convert]]) -> None:
    for key, (name, convert) in siblings.items():
        if key in value and not (key[1:] in value and name[1:] not in out):  # what is hidden takes its sibling along
            result = convert(value[key])
            if result is not None:
                out[name] = result


def _part(convert: Convert) -> Convert:
    def contained(value: Json) -> Json:
        try:
            return convert(value)
        except NotExpressibleError as error:
            if error.reason == "modifier-extension":
                raise
            return None

    return contained


def _coding(convert: Convert, source: FhirVersion, target: FhirVersion) -> Convert:
    def coding(value: Json) -> Json:
        result = convert(value)
        return None if result is None else move_coding(result, source, target)

    return coding


def _concept(convert: Convert) -> Convert:
    def concept(value: Json) -> Json:
        result = convert(value)
        if result is None or "text" not in result:
            codings, kept = value.get("coding") if type(value) is dict else None, result and result.get("coding")
            if type(codings) is list and (not kept or len(kept) < len(codings)):
                for coding in codings:  # a code without counterpart leaves its words behind
                    if type(coding) is dict and type(coding.get("display")) is str and coding["display"]:
                        return {**(result or {}), "text": coding["display"]}
        return result

    return concept


def _keys(cell: Cell) -> frozenset[str]:
    return frozenset(type_key(cell.name, one) for one in cell.types) if cell.choice else frozenset((cell.name,))


def _pairs(row: Row, here: Cell, there: Cell) -> Iterator[tuple[str, str, str, str]]:
    """Yield (source key, source type, target key, target type) for every type that has somewhere to go."""
    aliases = dict(word.split(">") for word in row.how if ">" in word)
    for one in here.types:
        if there.choice or here.choice:
            other = one if one in there.types else aliases.get(one, "")
            if other not in there.types:
                continue
        else:
            other = next(iter(there.types))
        key = type_key(here.name, one) if here.choice else here.name
        name = type_key(there.name, other) if there.choice else there.name
        yield key, one, name, other


def _entries(table: Table, row: Row, source: FhirVersion, target: FhirVersion) -> dict[str, tuple[str, Convert]]:
    here, there = row.cells[source], row.cells[target]
    if here is None:
        return {}
    rule = next((table.rules[word] for word in row.how if word in table.rules), None)
    found: dict[str, tuple[str, Convert]] = {}
    if here.modifier:  # also those types of a choice that have nowhere to go
        found = {key: (key, _refuse) for key in _keys(here)}
    if there is None:
        if rule is not None:
            found[here.name] = (here.name, _silent(_must(rule.on_path(source, target))))
        return found
    for key, one, name, other in _pairs(row, here, there):
        join = JOINS.get((one, other)) if here.many and not there.many and "join" in row.how else None
        if join is not None:
            found[key] = (name, join)
            continue
        if rule is not None:
            convert = rule.on_path(source, target)
        else:
            convert = _value_converter(one, other, there, source, target)
        if here.modifier:
            convert = _must(convert)
        if rule is not None:
            convert = _omit(convert)
        found[key] = (name, _shape(convert, row, here, there, primitive=other in PRIMITIVES))
    return found


def _value_converter(one: str, other: str, there: Cell, source: FhirVersion, target: FhirVersion) -> Convert:
    if one == other == "Reference":
        return reference(source, target, there.types[other])
    if (one, other) in TO_PRIMITIVE:
        return TO_PRIMITIVE[one, other]
    inner = converter(one, source, target)
    if one == other or (one, other) in CONVERSIONS:
        after = CONVERSIONS.get((one, other))
        return inner if after is None else lambda value: None if (x := inner(value)) is None else after(x)
    raise ValueError(f"no conversion of {one} to {other}")


def _shape(convert: Convert, row: Row, here: Cell, there: Cell, *, primitive: bool) -> Convert:
    if here.many and there.many:
        return shapes.many_primitives(convert) if primitive else shapes.many(convert)
    if here.modifier and not there.many:
        return shapes.lone(convert) if here.many else shapes.only(convert)
    if here.many:
        if "first" not in row.how:
            raise ValueError(f"{here.name} repeats, {there.name} does not: first or join?")
        return shapes.first(convert)
    return shapes.wrap(convert) if there.many else shapes.single(convert)


def _siblings(row: Row, source: FhirVersion, target: FhirVersion) -> dict[str, tuple[str, Convert]]:
    here, there = row.cells[source], row.cells[target]
    if here is None or there is None:
        return {}
    convert = converter("Element", source, target)
    found = {}
    for key, one, name, other in _pairs(row, here, there):
        if one in PRIMITIVES and other in PRIMITIVES and (there.many or not here.many):
            if here.many:
                shaped = shapes.many_primitives(convert)
            else:
                shaped = shapes.wrap(convert) if there.many else shapes.single(convert)
            found["_" + key] = ("_" + name, shaped)
    return found


def _must(convert: Convert) -> Convert:
    def checked(value: Json) -> Json:
        result = convert(value)
        if result is None:
            raise NotExpressibleError("modifier")
        return result

    return checked


def _refuse(value: Json) -> Json:  # noqa: ARG001 - a Convert
    raise NotExpressibleError("modifier")


def _omit(convert: Convert) -> Convert:
    def shown(value: Json) -> Json:
        result = convert(value)
        return None if result == OMIT else result

    return shown


def _silent(convert: Convert) -> Convert:
    def nothing(value: Json) -> None:
        convert(value)

    return nothing
