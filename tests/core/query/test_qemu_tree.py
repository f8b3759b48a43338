"""QEMU's own files on the person's disk: the right line, and a word when the tree is another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.query.qemu_tree import marked_lines, qemu_source, tree_problem
from ringscope_core.trace.function_lines import FUNCTION_LINES

NAME = "virtio_net_device_realize"


def tree(tmp_path: Path, version: str, line: int) -> Path:
    """A tree of which only one function stands, at `line`."""
    file = tmp_path / "hw" / "net" / "virtio-net.c"
    file.parent.mkdir(parents=True, exist_ok=True)
    body = ["/* empty */"] * (line - 1) + [f"static void {NAME}(DeviceState *dev)", "{", "    first();", "}", ""]
    file.write_text("\n".join(body))
    (tmp_path / "VERSION").write_text(version + "\n")
    return tmp_path


def test_the_modelled_version_has_nothing_to_say(tmp_path: Path) -> None:
    definition = FUNCTION_LINES[NAME][1]
    found = qemu_source(tree(tmp_path, "4.1.0", definition), NAME, definition + 2)
    assert (found.line, found.shift, found.note) == (definition + 2, 0, "")
    assert found.text.split("\n")[found.line - 1].strip() == "first();"


def test_another_version_is_said_and_the_line_moves_along(tmp_path: Path) -> None:
    definition = FUNCTION_LINES[NAME][1]
    found = qemu_source(tree(tmp_path, "7.2.0", definition + 700), NAME, definition + 2)
    assert found.shift == 700 and found.text.split("\n")[found.line - 1].strip() == "first();"
    assert "7.2.0" in found.note and "700 lines further down" in found.note


def test_the_same_version_with_patches_is_said(tmp_path: Path) -> None:
    definition = FUNCTION_LINES[NAME][1]
    found = qemu_source(tree(tmp_path, "4.1.0", definition - 26), NAME, definition)
    assert found.shift == -26 and "26 lines further up" in found.note


@pytest.mark.parametrize("what", ["nowhere", "empty", "no function"])
def test_what_is_missing_is_said(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "tree"
    if what == "empty":
        folder.mkdir()
    elif what == "no function":
        tree(folder, "4.1.0", 20)
        found = qemu_source(folder, "virtio_net_set_status", 100)
        assert found.line == 0 and found.text and "virtio_net_set_status is not in this file" in found.note
        return
    found = qemu_source(folder, NAME, 100)
    assert not found.text and found.note == tree_problem(folder) != ""


def test_the_lines_with_checkpoints_are_told() -> None:
    marked = marked_lines("hw/net/virtio-net.c")
    assert marked[2705] == NAME and len(marked) > 60
