"""What option texts and typed values become, and what is said of bad ones."""

from __future__ import annotations

import pytest

from ringscope_core.qom.errp import Errp
from ringscope_core.qom.visitor import PropValue, QObjectInputVisitor, StringInputVisitor, strtoint
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog

LOG = EventLog(Clock())


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("10", 10), ("0x10", 16), ("0X1f", 31), ("010", 8), ("-1", -1), ("+7", 7), (" 5", 5), ("5 ", None), ("", None), ("0x", None), ("08", None)],
)
def test_strtoint_is_strtoll_with_base_0(text: str, value: int | None) -> None:
    assert strtoint(text) == value


@pytest.mark.parametrize(("text", "value"), [("on", True), ("yes", True), ("true", True), ("ON", True), ("off", False), ("no", False), ("false", False)])
def test_bools(text: str, value: bool) -> None:
    errp = Errp()
    assert StringInputVisitor(LOG, text).type_bool("mq", errp) is value
    assert not errp.failed()


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("maybe", "bool", "Invalid parameter type for 'x', expected: boolean"),
        ("1", "bool", "Invalid parameter type for 'x', expected: boolean"),
        ("abc", "u16", "Parameter 'x' expects uint64"),
        ("65536", "u16", "Parameter 'x' expects uint16_t"),
        ("-1", "u16", "Parameter 'x' expects uint16_t"),
        ("1k", "i32", "Parameter 'x' expects int64"),
        ("2147483648", "i32", "Parameter 'x' expects int32_t"),
        ("maybe", "enum", "Invalid parameter 'maybe'"),
    ],
)
def test_messages(text: str, kind: str, message: str) -> None:
    errp = Errp()
    visitor = StringInputVisitor(LOG, text)
    if kind == "bool":
        visitor.type_bool("x", errp)
    elif kind == "u16":
        visitor.type_uint("x", 16, errp)
    elif kind == "i32":
        visitor.type_int("x", 32, errp)
    else:
        visitor.type_enum("x", ("auto", "on", "off"), errp)
    assert errp.error is not None and errp.error.text == message


@pytest.mark.parametrize(("value", "expected"), [("on", "boolean"), (1, "boolean"), (None, "boolean")])
def test_typed_values_are_not_converted(value: PropValue, expected: str) -> None:
    errp = Errp()
    QObjectInputVisitor(LOG, value).type_bool("x", errp)
    assert errp.error is not None and errp.error.text == f"Invalid parameter type for 'x', expected: {expected}"


def test_a_minus_sign_wraps_as_strtoull_does() -> None:
    errp = Errp()
    assert StringInputVisitor(LOG, "-1").type_uint("x", 64, errp) == 2**64 - 1
    assert not errp.failed()
