"""The catalogue says everything that the sources say, nothing else, and with the same places for values; no text goes past it."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path
from typing import Final

import polib
import pytest

from ringscope.words import catalogue
from ringscope_resources import path
from tests.app.catalogue import MARKERS, SOURCES, everything

ZH: Final = polib.pofile(str(path("translations", "zh.po")), encoding="utf-8")
SINKS: Final = frozenset(
    (
        "QAction",
        "QCheckBox",
        "QGroupBox",
        "QLabel",
        "QMenu",
        "QProgressDialog",
        "QPushButton",
        "QRadioButton",
        "QToolBar",
        "addAction",
        "addButton",
        "addItem",
        "addItems",
        "addMenu",
        "addRow",
        "addTab",
        "drawText",
        "getExistingDirectory",
        "getOpenFileName",
        "getSaveFileName",
        "question",
        "setAccessibleDescription",
        "setAccessibleName",
        "setHeaderLabels",
        "setHorizontalHeaderLabels",
        "setInformativeText",
        "setPlaceholderText",
        "setStatusTip",
        "setText",
        "setToolTip",
        "setWindowTitle",
        "showMessage",
        "showText",
        "show_problem",
    )
)
"""Where texts meet a person."""
ALLOWED: Final = {
    (
        "views/realize/match.py",
        "#0  virtio_net_device_realize (dev=0x55..., errp=0x7f...) at hw/net/virtio-net.c:2658\n#1  0x0000555555896628 in ...",
    ): "gdb's own form",
    ("window_verbs.py", "session.ringscope"): "a file's name",
    ("window_verbs.py", "ringscope.png"): "a file's name",
    ("window_unsaved.py", "session.ringscope"): "a file's name",
    ("views/notebook/view.py", "notebook.md"): "a file's name",
    ("window_preferences.py", "QEMU "): "a name, with its version",
    ("window_export.py", "start"): "a moment, as the command line takes it",
    ("window_export.py", "end"): "a moment, as the command line takes it",
    ("window_export.py", "seq:"): "a moment, as the command line takes it",
}
"""Texts that are the same in every language, and why."""
LETTERS: Final = re.compile(r"[A-Za-z]{2}")


def places(text: str) -> set[str] | None:
    """The names in braces; None where braces are no places, as in a text without values."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}
    except ValueError:
        return None


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    known = {entry.msgid for entry in ZH}
    wanted = everything()
    assert sorted(wanted - known) == [], "not in zh.po"
    assert sorted(known - wanted) == [], "in zh.po, and nowhere in the sources"
    assert [entry.msgid for entry in ZH if not entry.translated() or entry.fuzzy] == []
    assert len(known) == len(ZH), "twice in zh.po"


@pytest.mark.parametrize("entry", [entry for entry in ZH if "{" in entry.msgid or "{" in entry.msgstr], ids=lambda entry: entry.msgid[:40])
def test_values_have_the_same_places(entry: polib.POEntry) -> None:
    assert places(entry.msgid) == places(entry.msgstr)


def test_menus_keep_their_mnemonics_and_dialogs_their_ellipses() -> None:
    for entry in ZH:
        mnemonic = re.search(r"&(\w)", entry.msgid)
        if mnemonic is not None and "&nbsp;" not in entry.msgid:
            assert f"(&{mnemonic.group(1).upper()})" in entry.msgstr, entry.msgid
        if entry.msgid.endswith("...") and not entry.msgid.startswith("{"):
            assert entry.msgstr.endswith(("…", "...")), entry.msgid
        edges = [len(text) - len(text.strip("\n")) for text in (entry.msgid, entry.msgstr)]
        assert edges[0] == edges[1], entry.msgid


def test_what_stays_the_same_is_a_name_or_a_value() -> None:
    """A translation without any Chinese is left over from English, unless there is nothing to say."""
    plain = [entry.msgid for entry in ZH if not re.search("[\u4e00-\u9fff]", entry.msgstr)]
    words = [text for text in plain if len(re.findall(r"[A-Za-z]{3,}", re.sub(r"\{[^}]*\}", "", text))) > 3]
    assert words == ["Shift+Left, Shift+Right"]


def test_the_catalogue_is_what_the_program_reads() -> None:
    assert catalogue("zh") == {entry.msgid: entry.msgstr for entry in ZH}


def _said(node: ast.expr) -> list[str]:
    """Literal words of an argument that nothing translates."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str))]
    if isinstance(node, ast.IfExp):
        return _said(node.body) + _said(node.orelse)
    if isinstance(node, ast.BinOp):
        return _said(node.left) + _said(node.right)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in _said(value)]
    if isinstance(node, ast.List | ast.Tuple):
        return [text for value in node.elts for text in _said(value)]
    return []


def _watched() -> list[Path]:
    """Sources that show something."""
    return [
        *sorted(SOURCES.glob("views/**/*.py")),
        *sorted(SOURCES.glob("widgets/*.py")),
        *sorted(SOURCES.glob("window*.py")),
        SOURCES / "launch.py",
    ]


def test_no_text_goes_to_a_person_past_the_catalogue() -> None:
    found: list[str] = []
    used: set[tuple[str, str]] = set()
    for file in _watched():
        name = file.relative_to(SOURCES).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            sink = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if sink not in SINKS:
                continue
            for text in [text for argument in node.args for text in _said(argument)]:
                # markup is no text
                bare = re.sub(r"<[^>]*>|&\w+;", "", text)
                if LETTERS.search(bare) and (name, text) not in ALLOWED:
                    found.append(f"{name}:{node.lineno}: {sink}({text!r})")
                used.add((name, text))
    assert found == []
    assert set(ALLOWED) <= used, "allowed, and not there any more"


def test_texts_are_translated_when_they_are_shown_and_not_when_modules_are_imported() -> None:
    early: list[str] = []
    for file in sorted(SOURCES.rglob("*.py")):
        pending: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.FunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == MARKERS[0]:
                early.append(f"{file.name}:{node.lineno}")
            pending.extend(ast.iter_child_nodes(node))
    assert early == []


def test_a_text_with_values_is_asked_for_with_all_of_them() -> None:
    """Every ``t("... {name}", name=...)`` has a value for each place of its text, and no other."""
    wrong: list[str] = []
    for file in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t" and node.args and node.keywords):
                continue
            given = {keyword.arg for keyword in node.keywords}
            for text in _said(node.args[0]):
                if None not in given and places(text) != given:
                    wrong.append(f"{file.name}:{node.lineno}: {text!r} with {sorted(map(str, given))}")
    assert wrong == []
