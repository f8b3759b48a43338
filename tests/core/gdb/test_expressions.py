"""Expressions and what they print, in a recorded frame of virtio_net_device_realize."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.gdb.console import Console
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.parse import parse
from tests.core.gdb.conftest import Open

TABLE = [
    ("dev", "(DeviceState *) 0x55555729b2b0"),
    ("*((Object *)dev)", "{class = 0x5555563d1790, free = 0x0, properties = 0x555557267c60, ref = 2, parent = 0x555557293140}"),
    ("((Object *)dev)->ref", "2"),
    ("errp", "(Error **) 0x7fffffffe1f0"),
    ("n->vqs[0].rx_vq->vring.num", "256"),
    ("n->vqs[0].tx_vq->queue_index", "1"),
    ("(*n).vqs->n == n", "1"),
    ("n->ctrl_vq", "(VirtQueue *) 0x0"),
    ("n->mac", r'"\000\000\000\000\000"'),
    ("n->net_conf.txtimer", "150000"),
    (
        "n->net_conf",
        "{txtimer = 150000, txburst = 256, tx = 0x0, rx_queue_size = 256, tx_queue_size = 256, mtu = 0, speed = -1, duplex_str = 0x0, duplex = 255 '\\377'}",
    ),
    ("&n->net_conf", "(virtio_net_conf *) 0x55555729b4e0"),
    ("*&n->max_queues", "1"),
    ("vdev->name", '<unknown> "virtio-net"'),
    ("vdev->status", r"0 '\000'"),
    ("vdev->vq[1].vring.num", "256"),
    ("vdev->vq[1].vdev == vdev", "1"),
    ("vdev->vq->handle_output", "(VirtIOHandleOutput) <unknown> <virtio_net_handle_rx>"),
    ("vdev->listener", "<unknown>"),
    ("n->nic", "(NICState *) <unknown>"),
    ("vdev->parent_obj.realized", "false"),
    ("((VirtIOPCIProxy *)((Object *)dev)->parent)->disable_legacy", "ON_OFF_AUTO_OFF"),
    ("((VirtIOPCIProxy *)0x555557293140)->pci_dev.name", r'"virtio-net-pci", ' + r"'\000' <repeats 49 times>"),
    ("((struct Object *)dev)->class->type->name", '0x555556310720 "virtio-net-device"'),
    ("*((Object *)dev)->class->unparent", "{ObjectUnparent} 0x55555599ae70 <device_unparent>"),
    ("((VirtioDeviceClass *)((Object *)dev)->class)->realize", "(DeviceRealize) <unknown> <virtio_net_device_realize>"),
    ("{struct Object} 0x55555729b2b0", "{class = 0x5555563d1790, free = 0x0, properties = 0x555557267c60, ref = 2, parent = 0x555557293140}"),
    ("$net0", "(VirtIONetPCI *) 0x555557293140"),
    ("&$net0->vdev == n", "1"),
    ("$rx0->vring.align", "4096"),
    ("$virtio_bus->parent_obj.max_index", "1"),
    ("sizeof(VirtIONet)", "8960"),
    ("sizeof(struct VirtQueue)", "128"),
    ("sizeof n->mac", "6"),
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("-7 / 2", "-3"),
    ("-7 % 2", "-1"),
    ("7 >> 1 | 8", "11"),
    ("0x10 == 16", "1"),
    ("010", "8"),
    ("1 ? 2 : 3", "2"),
    ("!n", "0"),
    ("~0", "-1"),
    ("~0u", "4294967295"),
    ("1 << 31", "-2147483648"),
    ("1ull << 40", "1099511627776"),
    ("2147483648", "2147483648"),
    ("(uint8_t) 0x141", "65 'A'"),
    ("(bool) 5", "true"),
    ("(short) 0xffff", "-1"),
    ("(unsigned char) -1", r"255 '\377'"),
    ("'A' + 1", "66"),
    ('"a\\tb"', r'"a\tb"'),
    ("n && vdev", "1"),
    ("1 || 1 / 0", "1"),
    ("0 && 1 / 0", "0"),
    ("virtio_init", "{<text variable, no debug info>} <unknown> <virtio_init>"),
    ("$unset", "void"),
    ("n->net_conf.rx_queue_size@2", "{256, 256}"),
]
"""Expected text without its ``$N = ``."""

FORMATS = [
    ("/x n->host_features", "0xbfffc7"),
    ("/d 0xff", "255"),
    ("/u -1", "4294967295"),
    ("/t 10", "1010"),
    ("/o 8", "010"),
    ("/c 65", "65 'A'"),
    ("/z (short)5", "0x0005"),
    ("/x n->net_conf.rx_queue_size@2", "{0x100, 0x100}"),
    ("/x n->vqs[0].rx_vq->vring.align", "0x1000"),
    ("/x -1", "0xffffffff"),
    ("/a 0x55555599ae70", "0x55555599ae70"),
    ("/d n->vqs[0].rx_vq->notification", "1"),
]

ERRORS = [
    ("foo", 'No symbol "foo" in current context.'),
    ("vdve", 'No symbol "vdve" in current context.  Did you mean vdev?'),
    ("n->x", "There is no member named x."),
    ("n->statu", "There is no member named statu.  Did you mean status?"),
    ("*1000000", "Cannot access memory at address 0xf4240"),
    ("*(Object *)0x10", "Cannot access memory at address 0x10"),
    ("n->ctrl_vq->vring", "Cannot access memory at address 0x0"),
    ("*vdev->parent_obj", "Attempt to take contents of a non-pointer value."),
    ("n.vqs.x", "There is no member named x."),
    ("1 +", "A syntax error in expression, near `'."),
    ("n->", "A syntax error in expression, near `'."),
    ("n)", "A syntax error in expression, near `)'."),
    ("n 1", "A syntax error in expression, near `1'."),
    ("1 / 0", "Division by zero"),
    ("(struct Nothing *) 1", "No struct type named Nothing."),
    ('"open', "Unterminated string in expression."),
    ("#", "Invalid character '#' in expression."),
    ("n->net_conf + 1", "Argument to arithmetic operation not a number or boolean."),
    ("&1", "Attempt to take address of value not located in memory."),
    ("virtio_init()", "You can't call functions: what is debugged here is a recording."),
    ("5->x", "The -> operator must not be applied to non-pointer values."),
    ("$99", "History has not yet reached $99."),
    ("n->nic->conf", "Cannot access memory: the address is not known"),
    ("vdev->status = 1", "A recording cannot be changed."),
    ("1.5", "Floating point is not supported."),
    ("(VirtIONet) n", "Invalid cast."),
]


@pytest.fixture
def console(open_console: Open) -> Console:
    """Stopped in virtio_net_device_realize behind the first pair of queues."""
    return open_console("realize", "break virtio_net_add_queue", "run", "finish", "set width 0")


def printed(console: Console, text: str) -> str:
    return console.execute(f"print {text}").partition(" = ")[2]


@pytest.mark.parametrize("text, expected", TABLE)
def test_values(console: Console, text: str, expected: str) -> None:
    assert printed(console, text) == expected


@pytest.mark.parametrize("text, expected", FORMATS)
def test_formats(console: Console, text: str, expected: str) -> None:
    assert console.execute(f"p{text}").partition(" = ")[2] == expected


@pytest.mark.parametrize("text, expected", ERRORS)
def test_errors(console: Console, text: str, expected: str) -> None:
    console.execute("p 0")
    with pytest.raises(ConsoleError) as error:
        console.execute(f"print {text}")
    assert str(error.value) == expected


def test_optimized_out(console: Console) -> None:
    console.execute("frame 2")
    assert printed(console, "value") == "<optimized out>"
    with pytest.raises(ConsoleError, match="value has been optimized out"):
        console.execute("print *obj")


def test_history_and_variables(console: Console) -> None:
    assert console.execute("p 40") == "$1 = 40"
    assert console.execute("p $ + 2") == "$2 = 42"
    assert console.execute("p $$ + $1") == "$3 = 80"
    assert console.execute("p $$2") == "$4 = 40"
    console.execute("set var $x = n->vqs")
    assert printed(console, "$x[0].n == n") == "1"
    assert console.execute("p") == "$6 = 1"
    assert console.execute("history").splitlines()[0] == "$1 = 40"


def test_a_value_stays_what_it_was(console: Console) -> None:
    console.execute("p *n")
    assert printed(console, "$1.status") == "0"
    console.execute("goto end")
    assert printed(console, "$net0->vdev.status") == "1"
    assert printed(console, "$1.status") == "0"


@pytest.mark.parametrize(
    "line, expected",
    [
        ("whatis n", "type = VirtIONet *"),
        ("whatis n->mac", "type = uint8_t [6]"),
        ("whatis &n->vqs[0]", "type = VirtIONetQueue *"),
        ("whatis struct VirtQueue *", "type = VirtQueue *"),
        ("ptype MACAddr", "type = struct MACAddr {\n    uint8_t a[6];\n}"),
        ("x/4xb dev", "0x55555729b2b0:\t0x90\t0x17\t0x3d\t0x56"),
        ("x/2xg dev", "0x55555729b2b0:\t0x00005555563d1790\t0x0000000000000000"),
        ("x/2dh &n->net_conf.rx_queue_size", "0x55555729b4f0:\t256\t256"),
        ("x/1tb &n->max_queues", "0x55555729d534:\t00000001"),
        ("x/s vdev->name", '<unknown>:\t"virtio-net"'),
        ("x/2xg (char *)dev + 64", "0x55555729b2f0:\t<unknown>\t<unknown>"),
    ],
)
def test_types_and_memory(console: Console, line: str, expected: str) -> None:
    assert console.execute(line) == expected


def test_memory_goes_on(console: Console) -> None:
    console.execute("x/2xw dev")
    assert console.execute("").startswith("0x55555729b2b8:\t0x00000000")


def test_guest_memory(open_console: Open) -> None:
    console = open_console("ping", "goto end")
    table = console.execute("x/2xg $tx0->vring.desc")
    assert table.startswith("0x103000:\t0x0000")
    assert printed(console, "$tx0->used_idx") != "0"
    with pytest.raises(ConsoleError, match="Cannot access memory at address 0x1"):
        console.execute("x/4xb 1")


PIECES = ["n", "->", ".", "vqs", "[", "]", "(", ")", "*", "&", "1", "0x10", "struct ", "VirtIONet", "$", "$1", '"a"', "'b'", "+", "-", "?", ":", "=="]
PIECES += ["@", "sizeof", " ", "unsigned ", "=", "{", "}", "~", "\\", '"', "'", "\0", "é", "9" * 30]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_the_parser_never_breaks(text: str) -> None:
    try:
        parse(text)
    except ConsoleError as error:
        assert str(error)


@pytest.mark.parametrize("text", ["(" * 5000 + "1" + ")" * 5000, "*" * 5000 + "n", "1?" * 3000 + "1" + ":1" * 3000, "- " * 5000 + "1"])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ConsoleError, match="deeply"):
        parse(text)


def test_a_queue_that_no_call_was_seen_to_get(open_console: Open) -> None:
    """virtio_net_flush_tx(q): its caller, or what it does, says which; the address stays unknown."""
    console = open_console("multiqueue", "b virtio_net_flush_tx if q->tx_vq->queue_index == 3", "run")
    assert console.execute("p q->tx_vq->queue_index").endswith(" = 3")
    assert console.execute("p q").endswith("= (VirtIONetQueue *) <unknown>") and "q=<unknown>" in console.execute("bt 1")
    assert console.execute("p n == q->n && n->curr_queues == 4").endswith(" = 1")
    handler = open_console("ping", "tb virtio_net_handle_tx_bh", "run")
    assert handler.execute("p vq->queue_index").endswith(" = 1") and handler.execute("info locals") == "n = (VirtIONet *) 0x55555729b2b0"
