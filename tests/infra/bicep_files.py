"""Reads a Bicep file into its declarations."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from tests.infra.verified_types import ANY, BOOL, INT, STRING, Mapping, Scalar, Shape

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_KINDS: dict[str, Shape] = {
    "string": STRING,
    "int": INT,
    "bool": BOOL,
    "array": [ANY],
    "object": Mapping(ANY),
    "string[]": [STRING],
}


@dataclass(frozen=True)
class Resource:
    kind: str  # type@version
    existing: bool
    body: Node
    loops: dict[str, Node]


@dataclass
class File:
    path: Path
    root: Node
    params: dict[str, Shape] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    variables: dict[str, Node] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, tuple[Path, Node]] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    loops: dict[str, Node] = field(default_factory=dict)  # variable of a loop: what it goes through


def text(node: Node) -> str:
    return (node.text or b"").decode()


def literal(node: Node) -> str | None:
    """The value of a string without interpolation, None for everything else."""
    if node.type != "string" or any(part.type == "interpolation" for part in node.named_children):
        return None
    return text(node)[1:-1].replace("\\'", "'")


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from walk(child)


def _declared(declaration: Node) -> tuple[str, list[Node]]:
    first, *rest = declaration.named_children
    return text(first), rest


def loop_body(node: Node, loops: dict[str, Node]) -> Node:
    """The object of a declaration, inside its condition and its loop; `loops` takes the loop's variables."""
    if node.type == "if_statement":
        return loop_body(node.named_children[-1], loops)
    if node.type == "for_statement":
        *names, source, inner = node.named_children
        for name in names:
            for variable in name.named_children or [name]:
                loops[text(variable)] = source
        return loop_body(inner, loops)
    return node


def _param_shape(rest: list[Node], decorators: list[Node]) -> Shape:
    shape = _KINDS[text(rest[0])]
    if not isinstance(shape, Scalar):
        return shape
    for decorator in decorators:
        call = decorator.named_children[0]
        name, arguments = text(call.named_children[0]), call.named_children[1].named_children
        if name == "allowed" and shape is STRING:
            shape = replace(shape, values=frozenset(str(literal(item)) for item in arguments[0].named_children))
        elif name in ("minLength", "minValue"):
            shape = replace(shape, low=int(text(arguments[0])))
        elif name in ("maxLength", "maxValue"):
            shape = replace(shape, high=int(text(arguments[0])))
    return shape


@cache
def read(path: Path, content: bytes | None = None) -> File:
    file = File(path, _PARSER.parse(path.read_bytes() if content is None else content).root_node)
    decorators: list[Node] = []
    for node in file.root.named_children:
        if node.type == "decorators":
            decorators = node.named_children
            continue
        if node.type.endswith("_declaration"):
            name, rest = _declared(node)
            match node.type:
                case "parameter_declaration":
                    file.params[name] = _param_shape(rest, decorators)
                    if len(rest) == 1:
                        file.required.add(name)
                case "variable_declaration":
                    file.variables[name] = rest[0]
                case "resource_declaration":
                    existing = any(child.type == "existing" for child in node.children)
                    loops: dict[str, Node] = {}
                    file.resources[name] = Resource(str(literal(rest[0])), existing, loop_body(rest[-1], loops), loops)
                case "module_declaration":
                    file.modules[name] = (path.parent / str(literal(rest[0])), loop_body(rest[-1], {}))
                case "output_declaration":
                    file.outputs[name] = _KINDS[text(rest[0])]
        decorators = []
    return file


def properties(node: Node) -> Iterator[tuple[str | None, Node, Node]]:
    """Name (None: with interpolation), key and value of each property of an object."""
    for pair in node.named_children:
        if pair.type == "object_property":
            key, value = pair.named_children
            yield (text(key) if key.type != "string" else literal(key)), key, value


def member_path(node: Node) -> tuple[Node, str]:
    """What `a.b.c` starts from, and `b.c`."""
    path: list[str] = []
    while node.type in ("member_expression", "subscript_expression"):
        if node.type == "member_expression":
            path.insert(0, text(node.named_children[1]))
        node = node.named_children[0]
    return node, ".".join(path)
