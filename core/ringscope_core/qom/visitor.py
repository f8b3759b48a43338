"""Visitors that hand a property's setter its value: from an option string, or from a typed value (QMP, code).

Texts are those of the string and QObject input visitors of QEMU 4.1 or, where `v7_2`, of 7.2, which hands the options of a device to a
visitor of its own (`KeyvalInputVisitor`).
"""

from __future__ import annotations

from typing import final

from ringscope_core.qom.errp import Errp
from ringscope_core.trace.log import EventLog

PropValue = bool | int | str | None
"""What a property holds: null stands for an absent link."""

_TRUE = ("on", "yes", "true")
_FALSE = ("off", "no", "false")
_TRUE_7_2 = ("on", "yes", "true", "y")
_FALSE_7_2 = ("off", "no", "false", "n")


def strtoint(text: str) -> int | None:
    """What strtoll with base 0 makes of `text` when it takes all of it, else None."""
    body = text.lstrip(" \t\n\v\f\r")
    sign = 1
    if body[:1] in ("+", "-"):
        sign = -1 if body[0] == "-" else 1
        body = body[1:]
    base = 10
    if body[:2].lower() == "0x" and len(body) > 2:
        base, body = 16, body[2:]
    elif len(body) > 1 and body[0] == "0":
        base, body = 8, body[1:]
    digits = "0123456789abcdef"[:base]
    if not body or any(char not in digits for char in body.lower()):
        return None
    return sign * int(body, base)


class Visitor:
    """An input visitor.  Each method returns the value, or a default after setting `errp`."""

    def __init__(self, log: EventLog, v7_2: bool = False) -> None:
        self.log: EventLog = log
        self.v7_2: bool = v7_2

    def bad_type(self, name: str, expected: str, errp: Errp) -> None:
        """QERR_INVALID_PARAMETER_TYPE."""
        errp.set(self.log, f"Invalid parameter type for '{name}', expected: {expected}")

    def bad_value(self, name: str, expected: str, errp: Errp) -> None:
        """QERR_INVALID_PARAMETER_VALUE."""
        errp.set(self.log, f"Parameter '{name}' expects {expected}")

    def type_bool(self, name: str, errp: Errp) -> bool:
        """visit_type_bool."""
        raise NotImplementedError

    def type_int64(self, name: str, errp: Errp) -> int:
        """visit_type_int64."""
        raise NotImplementedError

    def type_uint64(self, name: str, errp: Errp) -> int:
        """visit_type_uint64."""
        raise NotImplementedError

    def type_str(self, name: str, errp: Errp) -> str:
        """visit_type_str."""
        raise NotImplementedError

    def type_int(self, name: str, bits: int, errp: Errp) -> int:
        """visit_type_int8 .. int64: the range is checked after the 64 bit parse."""
        value = self.type_int64(name, errp)
        if not errp.failed() and not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            self.bad_value(name, f"int{bits}_t", errp)
            return 0
        return value

    def type_uint(self, name: str, bits: int, errp: Errp) -> int:
        """visit_type_uint8 .. uint64."""
        value = self.type_uint64(name, errp)
        if not errp.failed() and not 0 <= value < 1 << bits:
            self.bad_value(name, f"uint{bits}_t", errp)
            return 0
        return value

    def type_enum(self, name: str, names: tuple[str, ...], errp: Errp) -> int:
        """visit_type_enum: the index of the name given."""
        text = self.type_str(name, errp)
        if errp.failed():
            return 0
        if text not in names:
            errp.set(self.log, f"Parameter '{name}' does not accept value '{text}'" if self.v7_2 else f"Invalid parameter '{text}'")
            return 0
        return names.index(text)

    def text_bool(self, name: str, text: str, errp: Errp) -> bool:
        """qapi_bool_parse; 4.1 takes any case, 7.2 takes y and n too."""
        if self.v7_2:
            if text in _TRUE_7_2:
                return True
            if text not in _FALSE_7_2:
                self.bad_value(name, "'on' or 'off'", errp)
            return False
        lower = text.lower()
        if lower in _TRUE:
            return True
        if lower not in _FALSE:
            self.bad_type(name, "boolean", errp)
        return False


@final
class StringInputVisitor(Visitor):
    """qapi/string-input-visitor.c: the text of an option."""

    def __init__(self, log: EventLog, text: str, v7_2: bool = False) -> None:
        super().__init__(log, v7_2)
        self.text: str = text

    def type_bool(self, name: str, errp: Errp) -> bool:
        return self.text_bool(name, self.text, errp)

    def type_int64(self, name: str, errp: Errp) -> int:
        value = strtoint(self.text)
        if value is None or not -(1 << 63) <= value < 1 << 63:
            self.bad_value(name, "int64", errp)
            return 0
        return value

    def type_uint64(self, name: str, errp: Errp) -> int:
        value = strtoint(self.text)
        if value is None or abs(value) >= 1 << 64:
            self.bad_value(name, "uint64", errp)
            return 0
        # strtoull takes a minus sign and wraps
        return value & 0xFFFFFFFFFFFFFFFF

    def type_str(self, name: str, errp: Errp) -> str:
        return self.text


@final
class KeyvalInputVisitor(Visitor):
    """qapi/qobject-input-visitor.c, keyval flavour: the text of a device's option in 7.2."""

    def __init__(self, log: EventLog, text: str) -> None:
        super().__init__(log, True)
        self.text: str = text

    def type_bool(self, name: str, errp: Errp) -> bool:
        return self.text_bool(name, self.text, errp)

    def type_int64(self, name: str, errp: Errp) -> int:
        value = strtoint(self.text)
        if value is None or not -(1 << 63) <= value < 1 << 63:
            self.bad_value(name, "integer", errp)
            return 0
        return value

    def type_uint64(self, name: str, errp: Errp) -> int:
        value = strtoint(self.text)
        if value is None or abs(value) >= 1 << 64:
            self.bad_value(name, "integer", errp)
            return 0
        # strtoull takes a minus sign and wraps
        return value & 0xFFFFFFFFFFFFFFFF

    def type_str(self, name: str, errp: Errp) -> str:
        return self.text


@final
class QObjectInputVisitor(Visitor):
    """qapi/qobject-input-visitor.c: a typed value."""

    def __init__(self, log: EventLog, value: PropValue, v7_2: bool = False) -> None:
        super().__init__(log, v7_2)
        self.value: PropValue = value

    def type_bool(self, name: str, errp: Errp) -> bool:
        value = self.value
        if isinstance(value, bool):
            return value
        self.bad_type(name, "boolean", errp)
        return False

    def type_int64(self, name: str, errp: Errp) -> int:
        value = self.value
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.bad_type(name, "integer", errp)
        return 0

    def type_uint64(self, name: str, errp: Errp) -> int:
        value = self.value
        if isinstance(value, int) and not isinstance(value, bool):
            return value & 0xFFFFFFFFFFFFFFFF
        if self.v7_2:
            self.bad_value(name, "uint64", errp)
        else:
            self.bad_type(name, "integer", errp)
        return 0

    def type_str(self, name: str, errp: Errp) -> str:
        value = self.value
        if isinstance(value, str):
            return value
        self.bad_type(name, "string", errp)
        return ""
