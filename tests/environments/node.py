"""Node packages of their own, for JavaScript programs that the tests run. Made at first use, then kept."""

from dataclasses import dataclass
from pathlib import Path

from local import npm
from local.node import find_node

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class NodeEnvironment:
    """`folder` holds node_modules and the scripts of the environment, which find their packages there."""

    node: Path
    folder: Path


def node_environment(name: str) -> NodeEnvironment:
    """The scripts of `tests/environments/NAME`, and what its package-lock.json names. Raises LocalFailure where it
    cannot be made.
    """
    node = find_node()
    return NodeEnvironment(node.node, npm.kept(node, _HERE / name, name))
