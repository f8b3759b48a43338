"""The reference has a line for everything that is declared, and every declaration has a line."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest
import ringscope_reference
from ringscope_reference import exports, filters, protocol, scenario, verbs
from ringscope_reference.blocks import Block, Drawing, Section, Table, Text, code
from ringscope_reference.declared import attribute_docs
from ringscope_reference.events import unit_words
from ringscope_reference.place_kinds import PLACES
from ringscope_reference.places import places_of_views
from ringscope_reference.topics import TOPICS
from ringscope_reference.zh import EN, ZH

from ringscope.cli.main import VERBS
from ringscope.settings import ENVIRONMENT, PREFERENCES
from ringscope.views import ALL_VIEWS, PANELS
from ringscope.window_actions import ACTIONS, plain
from ringscope_core.engine import protocol as declared_protocol
from ringscope_core.export.formats import FORMATS
from ringscope_core.gdb.words import WORDS
from ringscope_core.query.filters import FIELDS, Filter
from ringscope_core.query.point import Breakpoint
from ringscope_core.scenario.model import ACTION_WORDS, Action
from ringscope_core.scenario.shipped import SHIPPED
from ringscope_core.scenario.validate import fields_of
from ringscope_core.session import words
from ringscope_core.session.schema import OBJECTS, TABLES, VIEWS
from ringscope_core.trace.kinds import ENUMS, KIND_BY_NUMBER, KINDS
from ringscope_core.trace.levels import LEVEL_NAMES

REPLAYED = ("cases", "deviations")
"""Topics that run the whole proof."""


def cells(blocks: Iterable[Block]) -> set[str]:
    """Every cell of every table."""
    found: set[str] = set()
    for block in blocks:
        if isinstance(block, Section):
            found |= {block.title} | cells(block.body)
        elif isinstance(block, Table):
            found |= {cell for row in block.rows for cell in row}
    return found


def topic(name: str) -> set[str]:
    return cells(TOPICS[name]()[0])


@pytest.mark.parametrize("name", [name for name in TOPICS if name not in REPLAYED])
def test_every_cell_says_something_and_fits_its_table(name: str) -> None:
    def check(blocks: Iterable[Block]) -> int:
        tables = 0
        for block in blocks:
            if isinstance(block, Section):
                tables += check(block.body)
            elif isinstance(block, Table):
                tables += 1
                assert all(len(row) == len(block.header) == len(block.widths) for row in block.rows)
                assert all(row[0] and any(row[1:]) for row in block.rows)
            else:
                assert isinstance(block, Text | Drawing)
        return tables

    blocks, sources = TOPICS[name]()
    assert check(blocks) or name == "packages"
    assert all(Path(source).is_file() for source in sources)


def test_every_verb_has_a_section_with_every_option() -> None:
    sections = {block.title: block for block in TOPICS["verbs"]()[0] if isinstance(block, Section)}
    assert list(sections) == [code(verb) for verb in VERBS]
    for verb in VERBS:
        shown = " ".join(cells(sections[code(verb)].body))
        for option in verbs.options_of(verb):
            assert option.help, f"{verb} {option.name}"
            assert f"`{option.opts[0]}" in shown, f"{verb} {option.name}"


def test_every_kind_argument_and_unit_is_there() -> None:
    assert {code(spec.name) for spec in KINDS} <= topic("events")
    known = unit_words()
    used = {arg.unit for spec in KINDS for arg in spec.args}
    assert all(known.get(unit) for unit in used if not unit.startswith("enum:")), used - set(known)
    assert {code(unit) for unit in used if not unit.startswith("enum:")} <= topic("units")
    assert {code(name) for name in ENUMS} <= topic("units")
    assert {code(name) for name in LEVEL_NAMES} <= topic("levels")


def test_filters_have_every_field_that_a_filter_takes() -> None:
    class Declared:
        kinds = KIND_BY_NUMBER

    taken = Filter("", Declared()).places  # type: ignore[arg-type]
    assert set(filters.argument_fields()) == set(taken)
    assert {code(name) for name in (*FIELDS, *taken)} <= topic("filters")


def test_every_key_of_a_scenario_has_a_line_of_its_own() -> None:
    for table, struct in scenario.tables().items():
        lines = attribute_docs(scenario.MODULE, struct.__name__)
        assert not set(fields_of(struct)) - set(lines), table
    assert "driver.mtu" in scenario.key_names()
    assert {code(key.rpartition(".")[2]) for key in scenario.key_names()} <= topic("scenario")
    assert set(ACTION_WORDS) == set(fields_of(Action)["do"].__args__)
    assert {code(name) for name in SHIPPED} <= topic("shipped")


def test_every_view_has_its_places() -> None:
    assert set(PLACES) == {*ALL_VIEWS, *PANELS, "window"}
    assert {kind.words for kinds in PLACES.values() for kind in kinds.values()} <= set(ZH)
    shown = " ".join(topic("places"))
    # from the view's panes, from what it draws at a moment, from what comes only when it is asked for
    assert all(code(name) in shown for name in ("event-index", "tx0", "virtio_net_device_realize", "console", "5@circle"))


def test_a_kind_of_place_that_nobody_explains_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    places_of_views("en")
    monkeypatch.delitem(PLACES["timeline"], "mark")
    with pytest.raises(RuntimeError, match=r"timeline.*'mark'"):
        places_of_views.__wrapped__("en")


def test_every_command_of_the_protocol_is_there() -> None:
    shown = topic("protocol")
    own = {spec.name for spec in (*declared_protocol.OWN, *declared_protocol.DEBUG)}
    asked = protocol.queries()
    assert set(declared_protocol.QUERIES) == set(asked)
    assert asked["x-query-virtio"][1] and not asked["qom-list"][1]
    assert {code(name) for name in (*own, *asked, *declared_protocol.EVENTS)} <= shown
    assert {code(field.name) for field in fields(Breakpoint)} <= topic("breakpoints")


def test_every_word_of_the_console_is_there() -> None:
    shown = topic("console")
    assert len(WORDS) > 60
    assert {code(f"{word.name} {word.usage}".strip()) for word in WORDS.values()} <= shown
    assert all(word.help for word in WORDS.values())


def test_every_format_table_and_column_is_there() -> None:
    shown = topic("exports")
    assert {code(name) for name in FORMATS} <= shown
    for made in FORMATS.values():
        for option in made.options:
            assert option.means and code(f"--{option.name}") in shown, (made.name, option.name)
    assert {code("events"), code("packets"), code("states")} <= topic("columns")


def test_the_session_format_has_words_for_every_table_and_column() -> None:
    database = sqlite3.connect(":memory:")
    for statement in OBJECTS.values():
        database.execute(statement)
    assert set(words.TABLES) == set(TABLES)
    assert set(words.VIEWS) == set(VIEWS)
    for table in TABLES:
        assert [row[1] for row in database.execute(f"PRAGMA table_info({table})")] == list(words.TABLES[table].columns), table
    assert {code(name) for name in (*VIEWS, *words.META)} <= cells(exports.session())
    database.close()


def test_views_keys_and_settings_are_there() -> None:
    assert {code(name) for name in (*ALL_VIEWS, *PANELS)} <= topic("views")
    keys = topic("keys")
    assert {str(plain(spec.text)) for spec in ACTIONS} <= keys
    assert {code(name) for name in (*PREFERENCES, *ENVIRONMENT)} <= topic("settings")


def test_every_word_of_the_reference_is_chinese_too() -> None:
    folder = Path(ringscope_reference.__file__).parent
    wanted: set[str] = set(EN)
    for source in folder.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "w":
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    wanted.add(str(argument.value))
    wanted |= {word.group for word in WORDS.values()}
    assert not wanted - set(ZH)
