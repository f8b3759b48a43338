"""Option strings of ``-netdev`` are read as QEMU reads them, and refused in its words (as QEMU 7.2.22 printed them)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.net.backends import create, inject
from ringscope_core.net.backends.options import id_wellformed, integer, parse_opts
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.net import MAX_QUEUE_NUM
from tests.core.net.boxes import make_host, nic_on


@pytest.mark.parametrize(
    "options,text",
    [
        ("", "Parameter 'id' is missing"),
        ("id=n0", "Parameter 'type' is missing"),
        ("bogus,id=n0", "Parameter 'type' does not accept value 'bogus'"),
        ("hubport,hubid=0", "Parameter 'id' is missing"),
        ("hubport,id=0n,hubid=0", "Parameter 'id' expects an identifier"),
        ("hubport,id=,hubid=0", "Parameter 'id' expects an identifier"),
        ("hubport,id=a b,hubid=0", "Parameter 'id' expects an identifier"),
        ("hubport,id=n0,,x,hubid=0", "Parameter 'id' expects an identifier"),
        ("hubport,id=n0", "Parameter 'hubid' is missing"),
        ("hubport,id=n0,hubid=x", "Parameter 'hubid' expects an int64 value"),
        ("hubport,id=n0,hubid=", "Parameter 'hubid' expects an int64 value"),
        ("hubport,id=n0,hubid=99999999999", "Parameter 'hubid' expects int32_t"),
        ("hubport,id=n0,hubid=0,foo=1", "Invalid parameter 'foo'"),
        ("hubport,id=n0,hubid=0,nofoo", "Invalid parameter 'foo'"),
        ("hubport,id=n0,hubid=0,=3", "Invalid parameter ''"),
        ("hubport,id=n0,hubid=0,netdev=zz", "netdev 'zz' not found"),
        ("tap,id=n0", "network backend 'tap' is not compiled into this binary"),
        ("nic,id=n0", "network backend 'nic' is not compiled into this binary"),
        ("dgram,id=n0", "dgram requires local= parameter"),
        ("dgram,id=n0,local=3", "Invalid parameter type for 'local', expected: object"),
        ("dgram,id=n0,local.host=1", "Parameter 'local.type' is missing"),
        ("dgram,id=n0,local.type=foo", "Parameter 'type' does not accept value 'foo'"),
        ("dgram,id=n0,local.type=unix", "Parameter 'local.path' is missing"),
        ("dgram,id=n0,local.type=inet,local.host=127.0.0.1", "Parameter 'local.port' is missing"),
        ("dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=0", "type=inet or type=unix requires remote parameter"),
        ("dgram,id=n0,remote.type=inet,remote.host=127.0.0.1,remote.port=7", "dgram requires local= parameter"),
        (
            "dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=unix,remote.path=x",
            "remote and local types must be the same",
        ),
        (
            "dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=abc,remote.type=inet,remote.host=127.0.0.1,remote.port=5",
            "port number 'abc' is invalid",
        ),
        (
            "dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port=0,local.foo=1,remote.type=inet,remote.host=127.0.0.1,remote.port=5",
            "Parameter 'local.foo' is unexpected",
        ),
        (
            "dgram,id=n0,local.type=unix,local.path=/nonexistent/x,remote.type=unix,remote.path=x",
            "can't bind unix=/nonexistent/x to socket: No such file or directory",
        ),
        (f"dgram,id=n0,local.type=unix,local.path={'u' * 200},remote.type=unix,remote.path=x", f"UNIX socket path '{'u' * 200}' is too long"),
        ("dgram,id=n0,local.type=fd,local.str=999", "n0: Can't use file descriptor 999: Bad file descriptor"),
        # what no command line of QEMU's could carry, or no number is
        ("hubport,id=n0,hubid=0\0", "an option string cannot hold a NUL character"),
        ("hubport,id=n0,hubid=" + "9" * 5000, "Parameter 'hubid' expects an int64 value"),
        (
            "dgram,id=n0,local.type=inet,local.host=,local.port=0,remote.type=inet,remote.host=\udcff,remote.port=1",
            "can't resolve host address '\udcff'",
        ),
        # ours
        ("responder,id=n0,mac=junk", "Parameter 'mac' expects a MAC address"),
        ("responder,id=n0,mac=01:00:00:00:00:01", "Parameter 'mac' expects a unicast MAC address"),
        ("responder,id=n0,ip=10.0.2", "Parameter 'ip' expects an IPv4 address"),
        ("responder,id=n0,ip6=10.0.2.2", "Parameter 'ip6' expects an IPv6 address"),
        ("responder,id=n0,echo-port=65536", "Parameter 'echo-port' expects a number between 0 and 65535"),
        ("responder,id=n0,bulk.size=10", "Parameter 'bulk.size' expects a number between 50 and 65549"),
        ("responder,id=n0,bulk.foo=10", "Parameter 'bulk.foo' is unexpected"),
        ("source,id=n0,pps=fast", "Parameter 'pps' expects a number between 0 and 1000000000"),
        ("source,id=n0,queues=2", "Invalid parameter 'queues'"),
    ],
)
def test_wrong_options(options: str, text: str) -> None:
    host = make_host()
    with pytest.raises(NetOptionError) as caught:
        create(host, options)
    assert caught.value.text == text
    assert host.clients == []
    if text.endswith("an identifier"):
        assert caught.value.hint == "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."


def test_an_id_is_taken_once_and_free_again() -> None:
    nic, backend = nic_on(make_host(), "hubport,id=n0,id=n1,hubid=0")
    assert backend.name == "n0"
    with pytest.raises(NetOptionError, match=r"^Duplicate ID 'n0' for netdev$"):
        create(nic.host, "hubport,id=n0,hubid=1")


def test_queues_share_a_name_and_a_configuration() -> None:
    host = make_host()
    ports = create(host, f"type=responder,id=r0,queues={MAX_QUEUE_NUM},ip=192.0.2.1")
    assert len(ports) == MAX_QUEUE_NUM == len(host.find_clients("r0"))
    assert [int(port.queue_index) for port in ports[:3]] == [0, 1, 2]


def test_option_strings() -> None:
    assert parse_opts("a,b=c,,d,e=,f,nog") == [("type", "a"), ("b", "c,d"), ("e", ""), ("f", "on"), ("g", "off")]
    assert parse_opts("k=v") == [("k", "v")]


def test_numbers_are_read_as_c_reads_them() -> None:
    good = {"0": 0, "10": 10, "-5": -5, "+7": 7, "0x1F": 31, "010": 8, "-0x10": -16}
    assert {text: integer(text) for text in good} == good
    assert [integer(text) for text in ("", "-", "0x", "09", "1_0", " 1", "1 ", "1.0", "\u0663")] == [None] * 9


@given(st.text(alphabet="abc=,.no0 ", max_size=40))
def test_any_option_string_is_taken_or_refused_in_one_line(text: str) -> None:
    for kind in ("", "hubport,", "responder,id=r0,"):
        try:
            create(make_host(), kind + text)
        except NetOptionError as error:
            assert "\n" not in error.text


@given(st.text(max_size=8))
def test_identifiers(name: str) -> None:
    plain = name.isascii() and name[:1].isalpha() and all(c.isalnum() or c in "-._" for c in name)
    assert id_wellformed(name) == plain


def test_injected_frames_arrive_and_impossible_ones_are_refused() -> None:
    nic, backend = nic_on(make_host(), "responder,id=r0")
    assert inject(backend, b"frame") == 5
    assert nic.frames == [b"frame"]
    for frame in (b"", bytes(69633)):
        with pytest.raises(NetOptionError, match="1 to 69632 bytes"):
            inject(backend, frame)
