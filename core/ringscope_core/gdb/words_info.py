"""Words that show: frames, types, functions, trees, events, registers, threads; and the help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb import ctypes as c
from ringscope_core.gdb.backtrace import SOURCE_PREFIX
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.places import location_plain, shown_place
from ringscope_core.gdb.printer import show
from ringscope_core.gdb.stops import event_line, frame_line
from ringscope_core.gdb.value import UNKNOWN
from ringscope_core.gdb.words import WORDS, Word, find_word, word

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console

_GROUPS: Final = ("Running", "Backwards", "Breakpoints", "Stack", "Data", "Sources", "Information", "Recording", "Settings")


def _pattern(text: str) -> re.Pattern[str]:
    if len(text) > 200:
        raise ConsoleError("The regular expression is too long.")
    try:
        return re.compile(text)
    except re.error as error:
        raise ConsoleError(f"Invalid regexp: {error}") from None


@word("info frame", "Information")
def _frame(console: Console, rest: str) -> str:
    """The selected frame: where it stands, who called it."""
    frame = console.frame
    shown = frame.shown
    lines = [f"Stack level {shown.number}, opened by event #{shown.seq}:"]
    callers = [other for other in console.frames if other.number == frame.number + 1]
    saved = f"0x{callers[0].shown.address:x}" if callers and callers[0].shown.address else UNKNOWN
    lines.append(f" rip = {UNKNOWN} in {shown.function} ({shown.source}); saved rip = {saved}")
    if callers:
        lines.append(f" called by {callers[0].shown.function} ({callers[0].shown.source})")
    if frame.number:
        lines.append(f" caller of {console.frames[frame.number - 1].shown.function}")
    lines += [" source language c.", f" Arglist at {UNKNOWN}, args: " + ", ".join(f"{name}={text}" for name, text in shown.args)]
    return "\n".join(lines)


@word("info args", "Information")
def _args(console: Console, rest: str) -> str:
    """The arguments of the selected frame."""
    found = console.frame.arguments
    return "\n".join(f"{name} = {show(value, console.style())}" for name, value in found) if found else "No arguments."


@word("info locals", "Information")
def _locals(console: Console, rest: str) -> str:
    """Local variables that are known: those that are casts of the arguments."""
    found = console.frame.locals
    return "\n".join(f"{name} = {show(console.value(text), console.style())}" for name, text in found) if found else "No locals."


@word("info line", "Information", "[LOCATION]")
def _line(console: Console, rest: str) -> str:
    """Which line of which file a place is."""
    if rest:
        path, line = shown_place(console, location_plain(console, rest))
    else:
        path, line = console.frame.shown.path, console.frame.shown.line
    return f'Line {line} of "{SOURCE_PREFIX}{path}" is at an address that is not known.'


@word("info source", "Information")
def _source(console: Console, rest: str) -> str:
    """The current source file, and whether QEMU's tree has it."""
    if not console.frames:
        return "No current source file."
    path = console.frame.shown.path
    here = console.source.lines(path)
    tree = (
        f"Read from {console.source.tree}."
        if here
        else "Not found in the tree."
        if console.source.tree
        else "No tree of QEMU's sources is set (directory DIR)."
    )
    return "\n".join([f"Current source file is {path}", f"Located in {SOURCE_PREFIX}{path}", tree, "Source language is c."])


@word("info registers", "Information", "[NAME..]", "info r,info all-registers")
def _registers(console: Console, rest: str) -> str:
    """What the device's registers hold: PCI, common configuration, queues. A recording has no processor."""
    moment, lines = console.moment, []
    wanted = rest.split()
    rows: list[tuple[str, int | None]] = []
    for oid in moment.state.objects:
        structs = moment.structs_of(oid)
        name = moment.recording.names.name(oid)
        if "VirtIOPCIProxy" in structs:
            for label, full in (
                ("command", "PCIDevice.config.command"),
                ("pci_status", "PCIDevice.config.status"),
                *((f"bar{n}", f"PCIDevice.bar{n}") for n in (0, 1, 4)),
                ("device_feature_select", "VirtIOPCIProxy.dfselect"),
                ("driver_feature_select", "VirtIOPCIProxy.gfselect"),
            ):
                rows.append((f"{name}.{label}", moment.field(oid, full)))
        if "VirtIODevice" in structs:
            for label in ("host_features", "guest_features", "config_vector", "status", "isr", "generation", "queue_sel"):
                rows.append((f"{moment.recording.names.name(moment.state.objects[oid].parent)}.{label}", moment.field(oid, f"VirtIODevice.{label}")))
    if not rows:
        raise ConsoleError("The machine has no device at this moment.")
    for label, value in rows:
        if wanted and not any(one in (label, label.split(".", 1)[-1]) for one in wanted):
            continue
        unsigned = None if value is None else value & ((1 << 64) - 1)
        lines.append(f"{label:<30}{UNKNOWN if unsigned is None else f'0x{unsigned:x}':<20}{UNKNOWN if value is None else value}")
    if not lines:
        raise ConsoleError(f"Invalid register `{wanted[0]}'")
    return "\n".join(lines)


@word("info threads", "Information")
def _threads(console: Console, rest: str) -> str:
    """The one thread that runs everything here, and where it stands."""
    where = frame_line(console.frames[0].shown, 0) if console.frames else event_line(console)
    return f'  Id   Target Id                  Frame \n* 1    Thread "qemu-system-x86"    {where}'


@word("info types", "Information", "[REGEX]")
def _types(console: Console, rest: str) -> str:
    """C structures with their definitions, and QOM types with their sizes."""
    pattern = _pattern(rest)
    structs = [name for name in c.struct_names() if pattern.search(name)]
    lines = [f'All types matching regular expression "{rest}":' if rest else "All defined types:"]
    by_file: dict[str, list[tuple[int, str]]] = {}
    for name in structs:
        file, _, line = c.place_of(name).partition(":")
        by_file.setdefault(file, []).append((int(line or 0), name))
    for file in sorted(by_file):
        lines += ["", f"File {file}:" if file else "In a file that is not known:"]
        lines += [f"{f'{line}:' if line else '':<8}struct {name};" for line, name in sorted(by_file[file])]
    rows = [row for row in console.inferior.recording.reader.types if pattern.search(str(row["name"]))]
    if rows:
        lines += ["", "QOM types:"]
        for row in rows:
            sizes = ", ".join(f"{what} {row.get(f'{what}_size') or '?'}" for what in ("instance", "class"))
            parent = f", parent {row['parent']}" if row.get("parent") else ""
            lines.append(f"        {row['name']} ({sizes}{parent}{', abstract' if row.get('abstract') else ''})")
    return "\n".join(lines)


@word("info functions", "Information", "[REGEX]")
def _functions(console: Console, rest: str) -> str:
    """QEMU's functions and where they are defined."""
    pattern = _pattern(rest)
    by_file: dict[str, list[tuple[int, str]]] = {}
    for spec in console.inferior.recording.functions.values():
        if pattern.search(spec.name):
            by_file.setdefault(spec.file, []).append((spec.line, spec.name))
    lines = [f'All functions matching regular expression "{rest}":' if rest else "All defined functions:"]
    for file in sorted(by_file):
        lines += ["", f"File {file}:", *(f"{line}:\t{name};" for line, name in sorted(by_file[file]))]
    return "\n".join(lines)


@word("info events", "Information", "[REGEX]")
def _events(console: Console, rest: str) -> str:
    """Kinds of events, and how many of each there are: what `catch` takes."""
    pattern = _pattern(rest)
    counts = console.inferior.recording.event_counts()
    rows = [spec for spec in console.inferior.recording.kinds.values() if pattern.search(spec.name)]
    return "\n".join(f"{spec.name:<20}{counts.get(spec.number, 0):>12}  {spec.title}" for spec in rows) or "No such kind of event."


@word("info symbol", "Information", "ADDRESS")
def _symbol(console: Console, rest: str) -> str:
    """Which object, class or type lies at an address."""
    value = console.value(rest)
    if value.number is None:
        raise ConsoleError("The address is not known.")
    address, moment = value.number & ((1 << 64) - 1), console.moment
    found = [f"{moment.path_of(oid) or f'#{oid}'} ({moment.type_of(oid)})" for oid, one in moment.state.objects.items() if one.addr == address]
    found += [f"class of {moment.types.by_class[address]}"] if address in moment.types.by_class else []
    found += [f"TypeImpl of {moment.types.by_address[address]}"] if address in moment.types.by_address else []
    return "\n".join(found) or f"No symbol matches {rest}."


# -- help -------------------------------------------------------------------------------------------------------------
@word("help", "Settings", "[WORD | GROUP]", "h")
def _help(console: Console, rest: str) -> str:
    """What there is, or what a word does."""
    if not rest:
        lines = ["Commands by group; `help GROUP` lists one, `help WORD` tells of one.", ""]
        return "\n".join([*lines, *(f"{group:<13}{', '.join(_short(one) for one in _of(group))}" for group in _GROUPS)])
    group = next((one for one in _GROUPS if one.lower() == rest.lower()), None)
    if group is not None:
        return "\n".join(f"{one.name} {one.usage}".rstrip() + f" -- {one.help}" for one in _of(group))
    if rest in ("info", "set", "show"):
        return "\n".join(f"{one.name} {one.usage}".rstrip() + f" -- {one.help}" for one in WORDS.values() if one.name.startswith(f"{rest} "))
    found, _ = find_word(rest)
    also = f"\nAlso: {', '.join(found.aliases)}" if found.aliases else ""
    return f"{found.name} {found.usage}".rstrip() + f"\n{found.help}{also}"


def _of(group: str) -> list[Word]:
    return [one for one in WORDS.values() if one.group == group]


def _short(one: Word) -> str:
    return one.name
