"""The part of FHIRPath that the checks' locations are written in: names, `[n]`, `where(path='value')` and `|`."""

import re
from functools import cache
from typing import Any

_STEP = re.compile(r"where\((?P<path>[\w.]+)='(?P<value>[^']*)'\)|(?P<name>\w+)(?:\[(?P<index>\d+)\])?")
_STEPS = re.compile(r"where\([^)]*\)|[^.]+")

type Resource = dict[str, Any]


def values(node: object, path: str) -> list[Any]:
    """What stands at a path, through lists; the first alternative (`a | b`) that has anything. Empty strings, lists
    and objects count as absent. Raises ValueError for a path in another syntax.
    """
    for alternative in path.split(" | "):
        found = [node]
        for match in _parsed(alternative):
            found = _step(found, match)
        found = [value for value in found if value not in (None, "", [], {})]
        if found:
            return found
    return []


@cache
def _parsed(path: str) -> tuple[re.Match[str], ...]:
    steps = [_STEP.fullmatch(step) for step in _STEPS.findall(path)]
    if not all(steps):
        raise ValueError(f"not a path: {path}")
    return tuple(step for step in steps if step)


def _step(nodes: list[Any], match: re.Match[str]) -> list[Any]:
    if match["path"]:
        return [node for node in nodes if match["value"] in values(node, match["path"])]
    found: list[Any] = []
    for node in nodes:
        value = node.get(match["name"]) if isinstance(node, dict) else None
        items = value if isinstance(value, list) else [] if value is None else [value]
        found += items if match["index"] is None else items[int(match["index"]) : int(match["index"]) + 1]
    return found
