"""The control protocol as it is declared: every command with its parameters, what it does and what it answers, and every event.

`commands` and `debug_commands` say how each is carried out; a test holds the two to the same names.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class CommandSpec(NamedTuple):
    """One command: `params` as `hw.monitor_queries.params_of` takes them, what it does, and what it answers (empty: an empty object)."""

    name: str
    params: str
    means: str
    answers: str = ""


_LATER: Final = "`done`: false when the run stands inside a turn and the change waits for its end"

OWN: Final = (
    CommandSpec("query-version", "", "Which QEMU is modelled, with Ringscope as its package.", "as QEMU's"),
    CommandSpec("query-commands", "", "The names of all commands.", "a list of objects with `name`"),
    CommandSpec("query-status", "", "Whether the machine runs.", "as QEMU's: `running`, `singlestep`, `status`"),
    CommandSpec("quit", "", "Ends the engine; the recording is closed."),
    CommandSpec("set_link", "name:string up:boolean", "Pulls the cable of a network card or a backend, or plugs it in again."),
    CommandSpec("device_add", "driver:string *?:any", "Plugs in a device; further arguments are its properties."),
    CommandSpec("device_del", "id:string", "Unplugs the device with an id, or at a path."),
    CommandSpec(
        "human-monitor-command",
        "command-line:string cpu-index?:integer",
        "A line of the human monitor: `info qtree`, `network`, `pci`, `qom-tree`.",
        "the text",
    ),
    CommandSpec(
        "announce-self",
        "initial:integer max:integer rounds:integer step:integer interfaces?:array id?:string",
        "Has network cards announce themselves, as after a migration; times in ms.",
    ),
    CommandSpec(
        "x-ringscope-status",
        "",
        "Where the run is.",
        "`state`; `reason` (why it stands); `inside_turn`; `seq`, `vt`, `wall` (the last event, virtual and wall ns); `speed`; `trace_level`;"
        " `capabilities`; `dropped`; `breakpoints`; `failures`; `not_recorded` (why the file is not written any more); `replay` (of a branch on its"
        " way to where it begins: events made, events to make)",
    ),
    CommandSpec("x-ringscope-speed", "events_per_second?:number factor?:number max?:boolean", "How fast the run goes; exactly one of the three."),
    CommandSpec("x-ringscope-inject", "netdev:string frame:string", "Has a backend send a frame, in hexadecimal, to its peer."),
    CommandSpec("x-ringscope-trace", "level:string", "The trace level: `counters`, `packets`, `full`; it stays, flat out too."),
    CommandSpec("x-ringscope-mark", "name:string note?:string", "Gives the moment a name."),
    CommandSpec(
        "x-ringscope-annotate", "change:any", "Makes, changes or removes a mark or a note at any moment (`session.changes`).", "`id` of the mark or note"
    ),
    CommandSpec("x-ringscope-keyframe", "", "Takes a keyframe now."),
    CommandSpec("x-ringscope-action", "*?:any", "Has the guest's driver do something: `do` and what else an `[[action]]` takes.", _LATER),
    CommandSpec("x-ringscope-feature", "*?:any", "Has the driver of `device` negotiate again, with the features in the lists `off` and `on` changed.", _LATER),
    CommandSpec("x-ringscope-traffic", "*?:any", "Changes what the guest sends: the number of an `entry` and fields of a `[[traffic]]`.", _LATER),
    CommandSpec("x-ringscope-option", "*?:any", "Unplugs `device` and plugs it in again with other `options`, an object.", _LATER),
)
"""Commands of `engine.commands`."""

DEBUG: Final = (
    CommandSpec("stop", "", "Stops at the next event, inside a turn where need be; answers when the run stands."),
    CommandSpec("cont", "", "Goes on; answers when the run does."),
    CommandSpec(
        "x-ringscope-step",
        "kind?:string count?:integer",
        "Goes on for one step or `count`: `event`; `into` (the next call or checkpoint); `over` (the next checkpoint of this function, or its"
        " return); `out` (the return); `packet` (a frame passed the device); `kick` (the driver notified); `turn` (of the main loop).",
    ),
    CommandSpec(
        "x-ringscope-until",
        "*?:any",
        "Goes on to a breakpoint given in plain form, to event number `seq` or to packet number `packet`, and stops there once. Any stop before ends that.",
        "the breakpoint, which is in no list; its number is below 0",
    ),
    CommandSpec(
        "x-ringscope-break",
        "add?:any update?:any remove?:integer list?:boolean",
        "Adds a breakpoint in plain form, changes one (`id` and what changes) or removes one.",
        "all breakpoints",
    ),
    CommandSpec("x-ringscope-sync", "", "Answers when everything up to the present event is in the file.", "`seq`"),
    CommandSpec(
        "x-ringscope-memory",
        "addr:integer size:integer space?:string",
        "Up to 1 MiB of guest memory; `space` is `gpa`.",
        "`data` in hexadecimal; `holes`, a list of address and size, where there is neither RAM nor ROM",
    ),
    CommandSpec(
        "x-ringscope-set",
        "object?:any property?:string field?:string memory?:integer value:any",
        "Sets a value by hand: a `property` or a `field` of `object`, or bytes of guest `memory`.",
        _LATER,
    ),
)
"""Commands of `engine.debug_commands`."""

QUERIES: Final = {
    "qom-list-types": "QOM types, all or those that implement one.",
    "qom-list": "Children and properties of an object.",
    "qom-get": "The value of a property.",
    "qom-list-properties": "Properties of a type.",
    "device-list-properties": "Properties of a device's type that an option can set.",
    "query-rx-filter": "The receive filter of network cards.",
    "query-pci": "The PCI buses with their devices.",
    "x-query-virtio": "Every virtio device.",
    "x-query-virtio-status": "A virtio device: features, status, configuration.",
    "x-query-virtio-queue-status": "A virtqueue: sizes, addresses, indices.",
    "x-query-virtio-vhost-queue-status": "Always an error: no vhost is modelled.",
    "x-query-virtio-queue-element": "An element of a virtqueue with its buffers.",
}
"""QEMU's own queries (`hw.monitor_queries` has their parameters), with what each answers."""

EVENTS: Final = {
    "STOP": "The run stands.",
    "RESUME": "The run goes on.",
    "SHUTDOWN": "The engine ends.",
    "DEVICE_DELETED": "A device is gone, as QEMU tells it.",
    "NIC_RX_FILTER_CHANGED": "A receive filter changed, as QEMU tells it: once, until it is asked for.",
    "FAILOVER_NEGOTIATED": "A standby card wants its primary (profile 7.2), as QEMU tells it.",
    "X_RINGSCOPE_STOPPED": "Why and where the run stands: `reason`, `seq`, `vt`, `breakpoint` (its number, below 0 for that of `x-ringscope-until`, or null).",
    "X_RINGSCOPE_LOG": "What breakpoints said, a few times a second: `lines` with `seq`, `vt`, `breakpoint`, `text`; `missing`, how many there were besides.",
    "X_RINGSCOPE_REFUSED": "A change that waited for the end of the turn could not be done: `reason`.",
    "X_RINGSCOPE_ENDED": "The scenario came to its end, the machine can still be looked at: `reason`.",
}
"""Events that the engine sends without being asked."""
