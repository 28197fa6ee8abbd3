"""Holds Bicep files to the facts in `verified_types`: the nearest to a compiler where none can be installed.

`problems` gives one line for each thing that the compiler or its linter would refuse or warn about: properties that a
type does not have, wrong kinds and enum values, missing or unknown names, unused declarations, children without parent.
"""

from collections.abc import Iterator
from pathlib import Path

from tree_sitter import Node

from tests.infra.bicep_files import File, Resource, member_path, properties, read, text, walk
from tests.infra.bicep_values import FUNCTIONS, Checker
from tests.infra.verified_types import ANY, READ, STRING, TYPES, Scalar, Shape

_META = {"parent", "scope", "dependsOn"}  # of the language, not of a type
_ALWAYS_READ = {"id", "name"}
_DECORATORS = {"allowed", "description", "maxLength", "maxValue", "minLength", "minValue"}


def problems(path: Path, content: bytes | None = None) -> list[str]:
    """`content`: taken instead of what the file holds."""
    file = read(path, content)
    if file.root.has_error:
        return [f"{path.name}: does not parse"]
    checker = Checker(file)
    for resource in file.resources.values():
        _resource(checker, resource)
    for module, body in file.modules.values():
        _module(checker, module, body)
    _references(checker)
    _names(checker)
    return checker.found


def _resource(checker: Checker, resource: Resource) -> None:
    shape = TYPES.get(resource.kind)
    if shape is None:
        checker.say(resource.body, f"{resource.kind} has not been verified")
        return
    checker.file.loops.update(resource.loops)
    body = {name: value for name, _, value in properties(resource.body)}
    _parent(checker, resource, body)
    if resource.existing:
        shape = {name: inner for name, inner in shape.items() if name == "name!"}
    for name in _META & body.keys():
        if name != "dependsOn" and text(member_path(body[name])[0]) not in checker.file.resources:
            checker.say(body[name], f"{name} is no resource of this file")
    checker.known(resource.body, shape | dict.fromkeys(_META, ANY))


def _parent(checker: Checker, resource: Resource, body: dict[str | None, Node]) -> None:
    kind = resource.kind.partition("@")[0]
    outer, _, _ = kind.rpartition("/")
    if "/" not in outer:
        return
    parent = checker.file.resources.get(text(member_path(body["parent"])[0])) if "parent" in body else None
    if parent is None:
        checker.say(resource.body, f"{kind} has no parent")
    elif parent.kind.partition("@")[0] != outer:
        checker.say(resource.body, f"{parent.kind} cannot be the parent of {kind}")


def _module(checker: Checker, path: Path, body: Node) -> None:
    wanted = read(path)
    params = {name + ("!" if name in wanted.required else ""): inner for name, inner in wanted.params.items()}
    shape: dict[str, Shape] = {"name!": STRING, "scope": ANY, "params!": params, "dependsOn": [ANY]}
    checker.known(body, shape)
    for name, _, value in properties(body):
        if name == "scope" and text(value) not in checker.file.resources:
            checker.say(value, "scope is no resource of this file")


def _references(checker: Checker) -> None:
    """Every `symbol.path` of a resource must be readable, every output of a module be there."""
    file = checker.file
    for node in walk(file.root):
        if node.type != "member_expression" or (node.parent is not None and node.parent.type == "member_expression"):
            continue
        root, path = member_path(node)
        resource = file.resources.get(text(root))
        if resource and path not in _ALWAYS_READ and path not in READ.get(resource.kind, ()):
            checker.say(node, f"{path} of {resource.kind} has not been verified")
        module = file.modules.get(text(root))
        if module and path.removeprefix("outputs.") not in read(module[0]).outputs:
            checker.say(node, f"{text(root)} has no {path}")


def _names(checker: Checker) -> None:
    file = checker.file
    used: set[str] = set()
    for node in _expressions(file.root):
        name = text(node)
        parent = node.parent
        is_call = parent is not None and parent.type == "call_expression" and parent.named_children[0] == node
        used.add(name)
        if is_call and name not in FUNCTIONS and name not in _DECORATORS:
            checker.say(node, f"{name} is no known function")
        elif not is_call and name not in _declared(file):
            checker.say(node, f"{name} is not declared")
    unused = [name for name in (*file.params, *file.variables) if name not in used]
    unused += [name for name, resource in file.resources.items() if resource.existing and name not in used]
    for name in unused:
        checker.say(file.root, f"{name} is not used")


def _declared(file: File) -> set[str]:
    return {*file.params, *file.variables, *file.resources, *file.modules, *file.loops, *_property_loops(file.root)}


def _property_loops(root: Node) -> Iterator[str]:
    for node in walk(root):
        if node.type == "for_statement":
            for name in node.named_children[:-2]:
                for variable in name.named_children or [name]:
                    yield text(variable)


def _expressions(root: Node) -> Iterator[Node]:
    """Identifiers that refer to something: neither a declaration's own name nor a property's."""
    for node in walk(root):
        if node.type != "identifier" or node.parent is None:
            continue
        first = node.parent.named_children[0] == node
        names = node.parent.type.endswith("_declaration") or node.parent.type == "object_property"
        loop = node.parent.type == "for_statement" and node in node.parent.named_children[:-2]
        if not (first and names) and not loop and node.parent.type != "for_loop_parameters":
            yield node


def parameter_problems(path: Path) -> list[str]:
    """Of a .bicepparam file beside the Bicep file that it is for."""
    wanted = read(path.with_suffix(".bicep"))
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("param "):
            continue
        name, _, value = line.removeprefix("param ").partition(" = ")
        shape = wanted.params.get(name)
        called = value.rpartition(" ? [] : ")[2].partition("(")[0]
        kind = {"bool": "bool", "int": "int", "readEnvironmentVariable": "string", "split": "array"}.get(called)
        if shape is None:
            found.append(f"{name} is no parameter")
        elif kind != (shape.kind if isinstance(shape, Scalar) else "array"):
            found.append(f"{name} does not take a {kind}")
    return found
