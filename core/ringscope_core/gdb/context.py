"""Where names of expressions come from: the selected frame, QEMU's functions, the history, and convenience variables.

Variables that are always there: ``$seq`` and ``$vt`` (the event at the cursor, its virtual time in ns), one for each object that has a
name (``$net0``, ``$virtio_bus``; other signs than letters and digits become ``_``), and one for each queue (``$rx0``, ``$tx0``, ``$ctrl``: the
device's VirtQueue; ``$rx0_driver`` and so on: the driver's side).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.ctypes import FUNCTION, LONG_TYPE, VOID_TYPE, CType, pointer_to
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.evaluate import Evaluator
from ringscope_core.gdb.memory import object_place, ring_place
from ringscope_core.gdb.moment import variable_name
from ringscope_core.gdb.parse import Node, parse
from ringscope_core.gdb.value import Place, Value, number_of
from ringscope_core.qom.symbols import SYMBOLS
from ringscope_core.query.suggest import suggestion

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console

_LAST: Final = re.compile(r"\$(\$?)(\d*)$")


class Context:
    """The names of one console at its cursor (`evaluate.Names`)."""

    def __init__(self, console: Console) -> None:
        self._console: Console = console

    # -- the frame ----------------------------------------------------------------------------------------------------
    def name(self, name: str) -> Value:
        console = self._console
        frames = console.frames
        known: list[str] = []
        if frames:
            frame = console.frame
            for argument, value in frame.arguments:
                if argument == name:
                    return value
            for local, text in frame.locals:
                if local == name:
                    return Evaluator(self).value(parse(text))
            known = [*(argument for argument, _ in frame.arguments), *(local for local, _ in frame.locals)]
        functions = console.inferior.recording.functions
        if any(spec.name == name for spec in functions.values()):
            return Value(CType(FUNCTION, "<text variable, no debug info>"), SYMBOLS.get(name), text=name)
        near = suggestion(name, [*known, *(spec.name for spec in functions.values()), *(v for v in self.convenience())])
        raise ConsoleError(f'No symbol "{name}" in current context.' + (f"  Did you mean {near}?" if near else ""))

    def place_at(self, address: int, ctype: CType) -> Place | None:
        return self._console.moment.place_at(address, ctype)

    # -- dollars ------------------------------------------------------------------------------------------------------
    def variable(self, name: str) -> Value:
        console = self._console
        last = _LAST.match(name)
        if last is not None:
            return self._from_history(bool(last[1]), last[2])
        if name in console.variables:
            return console.variables[name]
        if name == "$seq":
            return number_of(LONG_TYPE, console.inferior.seq)
        if name == "$_" and console.examined is not None:
            return Value(pointer_to(VOID_TYPE), console.examined[1])
        if name == "$vt":
            return number_of(LONG_TYPE, console.moment.state.vt)
        return self._object(name[1:])

    def _from_history(self, backwards: bool, digits: str) -> Value:
        history = self._console.history
        if not backwards and digits:
            place = int(digits)
        else:
            place = len(history) - (int(digits) if digits else 1 if backwards else 0)
        if not history:
            return Value(VOID_TYPE)
        if place == 0 and not digits or place < 0 and backwards:
            return Value(VOID_TYPE)
        if not 1 <= place <= len(history):
            raise ConsoleError(f"History has not yet reached ${place}." if place > len(history) else "History is empty or does not reach that far.")
        return history[place - 1]

    def _object(self, name: str) -> Value:
        moment = self._console.moment
        driver = name.endswith("_driver")
        for oid in moment.ring_oids():
            if moment.recording.names.name(oid) == name.removesuffix("_driver"):
                place = ring_place(moment, oid, "vring_virtqueue" if driver else "VirtQueue")
                return Value(pointer_to(place.ctype), None, target=place)
        for oid in moment.state.objects:
            if name != "_" and variable_name(moment.recording.names.name(oid)) == name:
                structs = moment.structs_of(oid)
                if not structs:
                    break
                place = object_place(moment, oid, structs[0])
                return Value(pointer_to(place.ctype), place.address or None, target=place)
        return Value(VOID_TYPE)

    def convenience(self) -> list[str]:
        """Variables that have a value now."""
        moment = self._console.moment
        names = moment.recording.names
        rings = [names.name(oid) for oid in moment.ring_oids()]
        objects = [variable_name(names.name(oid)) for oid in moment.state.objects if names.name(oid).isprintable()]
        found = [*self._console.variables, "$seq", "$vt", *(f"${name}" for name in rings), *(f"${name}_driver" for name in rings)]
        return list(dict.fromkeys([*found, *(f"${name}" for name in objects if name and not name.startswith("_"))]))

    # -- assignment ---------------------------------------------------------------------------------------------------
    def assign(self, target: Node, place: Value | None, value: Value) -> Value:
        if target.op == "variable":
            if _LAST.match(target.text):
                raise ConsoleError("Left operand of assignment is not a modifiable lvalue.")
            self._console.variables[target.text] = value
            return value
        assert place is not None
        return self._store(place, value)

    def _store(self, place: Value, value: Value) -> Value:
        """Change the machine, where there is a command for it; a change is then part of the recording like any other."""
        inferior = self._console.inferior
        if place.place is None:
            raise ConsoleError("Left operand of assignment is not an lvalue.")
        if not inferior.live:
            raise ConsoleError("A recording cannot be changed.")
        field = place.place.field
        if field is None:
            raise ConsoleError("Not changed: this place is not recorded as a field.")
        if inferior.seq < inferior.last:
            raise ConsoleError("Not changed: the cursor is in the past; go to the end first (goto end).")
        if value.number is None:
            raise ConsoleError("Not changed: the new value is not known.")
        if field[1] == "VirtIONet.status":
            if value.number & ~1:
                raise ConsoleError("Not changed: the status is 1 (link up) or 0 (link down).")
            inferior.execute("x-ringscope-set", object=field[0], field="link", value=bool(value.number))
        else:
            # the run knows what may be changed without the recording telling a lie, and says why not
            inferior.execute("x-ringscope-set", object=field[0], field=field[1], value=value.number)
        return number_of(place.ctype, value.number)
