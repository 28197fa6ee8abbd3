"""Holds the values in a Bicep file to the shapes of `verified_types`."""

from tree_sitter import Node

from tests.infra.bicep_files import File, literal, loop_body, member_path, properties, read, text
from tests.infra.verified_types import ANY, BOOL, INT, STRING, Discriminated, Mapping, Scalar, Shape

# What the functions that infra/ calls give.
FUNCTIONS: dict[str, Shape] = {
    "bool": BOOL,
    "empty": BOOL,
    "environment": ANY,
    "guid": STRING,
    "length": INT,
    "loadJsonContent": ANY,
    "loadTextContent": STRING,
    "range": [INT],
    "replace": STRING,
    "resourceGroup": ANY,
    "subscription": ANY,
    "subscriptionResourceId": STRING,
    "tenant": ANY,
    "union": Mapping(ANY),
    "uniqueString": STRING,
    "uri": STRING,
}
_UNIQUE_STRING_LENGTH = 13


class Checker:
    def __init__(self, file: File) -> None:
        self.file = file
        self.found: list[str] = []

    def say(self, node: Node, problem: str) -> None:
        self.found.append(f"{self.file.path.name}:{node.start_point[0] + 1}: {problem}")

    def value(self, node: Node, shape: Shape) -> None:
        if shape == ANY:
            return
        checks = {
            "ternary_expression": self.ternary,
            "for_statement": self.loop,
            "identifier": self.name,
            "member_expression": self.member,
            "call_expression": self.call,
            "string": self.string,
            "number": self.number,
            "boolean": self.truth,
            "unary_expression": self.truth,
            "binary_expression": self.truth,
            "array": self.array,
            "object": self.object,
        }
        if node.type in checks:
            checks[node.type](node, shape)
        elif node.type != "null":
            self.say(node, f"{node.type} is not understood")

    def ternary(self, node: Node, shape: Shape) -> None:
        self.value(node.named_children[1], shape)
        self.value(node.named_children[2], shape)

    def loop(self, node: Node, shape: Shape) -> None:
        if isinstance(shape, list):
            self.value(loop_body(node, self.file.loops), shape[0])
        else:
            self.say(node, "a loop where no array is wanted")

    def call(self, node: Node, shape: Shape) -> None:
        self.kind(node, FUNCTIONS.get(text(node.named_children[0]), ANY), shape)

    def truth(self, node: Node, shape: Shape) -> None:
        self.kind(node, BOOL, shape)

    def kind(self, node: Node, given: Shape, wanted: Shape) -> None:
        if ANY in (given, wanted):
            return
        if isinstance(given, Scalar) and isinstance(wanted, Scalar):
            if given.kind != wanted.kind:
                self.say(node, f"{given.kind} where {wanted.kind} is wanted")
            elif wanted.values and not (given.values and given.values <= wanted.values):
                self.say(node, f"may be other than {sorted(wanted.values)}")
            elif not wanted.values:
                self.limits(node, given.low, given.high, wanted)
        elif (
            isinstance(given, Scalar)
            or isinstance(wanted, Scalar)
            or isinstance(given, list) != isinstance(wanted, list)
        ):
            self.say(node, "wrong kind of value")

    def limits(self, node: Node, low: int | None, high: int | None, wanted: Scalar) -> None:
        """As the compiler does: only what is known to be outside counts, and a known end beyond the target's."""
        if low is not None and ((wanted.low or 0) > low or (wanted.high is not None and low > wanted.high)):
            self.say(node, f"may be {low}, outside {wanted.low}..{wanted.high}")
        elif high is not None and ((wanted.high is not None and high > wanted.high) or high < (wanted.low or 0)):
            self.say(node, f"may be {high}, outside {wanted.low}..{wanted.high}")

    def name(self, node: Node, shape: Shape) -> None:
        name = text(node)
        if name in self.file.variables:
            self.value(self.file.variables[name], shape)
        elif name in self.file.params:
            self.kind(node, self.file.params[name], shape)
        elif name not in self.file.loops:
            self.say(node, f"{name} is no value")

    def member(self, node: Node, shape: Shape) -> None:
        root, path = member_path(node)
        if root.type == "call_expression":
            self.kind(node, ANY, shape)
            return
        name = text(root)
        if name in self.file.loops:
            items = self.file.variables.get(text(self.file.loops[name]))
            for item in items.named_children if items is not None else []:
                for key, _, value in properties(item):
                    if key == path:
                        self.value(value, shape)
        elif name in self.file.modules:
            output = read(self.file.modules[name][0]).outputs.get(path.removeprefix("outputs."))
            if output is None:
                self.say(node, f"{name} has no {path}")
            else:
                self.kind(node, output, shape)
        elif name in self.file.resources:
            self.kind(node, STRING, shape)

    def string(self, node: Node, shape: Shape) -> None:
        value = literal(node)
        if not isinstance(shape, Scalar) or shape.kind not in ("string", "any"):
            self.say(node, f"a string where {shape.kind if isinstance(shape, Scalar) else 'a structure'} is wanted")
        elif shape.values and value not in shape.values:
            self.say(node, f"{text(node)} is none of {sorted(shape.values)}")
        elif not shape.values and shape.kind == "string":
            if value is not None:
                self.limits(node, len(value), len(value), shape)
            else:
                self.limits(node, self.least_length(node), None, shape)

    def least_length(self, node: Node) -> int:
        least = 0
        for part in node.named_children:
            inner = part.named_children[0] if part.type == "interpolation" else part
            if part.type == "string_content":
                least += len(text(part))
            elif inner.type == "identifier" and (variable := self.file.variables.get(text(inner))) is not None:
                unique = variable.type == "call_expression" and text(variable.named_children[0]) == "uniqueString"
                least += _UNIQUE_STRING_LENGTH if unique else 0
        return least

    def number(self, node: Node, shape: Shape) -> None:
        self.kind(node, INT, shape)
        if "." in text(node):
            self.say(node, "Bicep has no decimals")
        elif isinstance(shape, Scalar) and shape.kind == "int":
            self.limits(node, int(text(node)), int(text(node)), shape)

    def array(self, node: Node, shape: Shape) -> None:
        if isinstance(shape, list):
            for item in node.named_children:
                self.value(item, shape[0])
        elif shape != ANY:
            self.say(node, "an array where none is wanted")

    def object(self, node: Node, shape: Shape) -> None:
        if isinstance(shape, Discriminated):
            chosen = {name: literal(value) for name, _, value in properties(node)}.get(shape.by)
            inner = shape.shapes.get(chosen or "")
            if inner is None:
                self.say(node, f"{shape.by} is none of {sorted(shape.shapes)}")
                return
            shape = {f"{shape.by}!": STRING, **inner}
        if isinstance(shape, Mapping):
            for _, _, value in properties(node):
                self.value(value, shape.value)
        elif isinstance(shape, dict):
            self.known(node, shape)
        elif shape != ANY:
            self.say(node, "an object where none is wanted")

    def known(self, node: Node, shape: dict[str, Shape]) -> None:
        wanted = {name.removesuffix("!"): inner for name, inner in shape.items()}
        seen: set[str] = set()
        for name, key, value in properties(node):
            if name is None or name not in wanted:
                self.say(key, f"{text(key)} is no property here")
            elif name in seen:
                self.say(key, f"{name} stands twice")
            else:
                seen.add(name)
                self.value(value, wanted[name])
        for name in shape:
            if name.endswith("!") and name[:-1] not in seen:
                self.say(node, f"{name[:-1]} is missing")
