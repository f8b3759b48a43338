"""Scenario files: what is accepted, and how what is not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import find_scenario, load, scenario_from_text, to_toml_data
from ringscope_core.scenario.shipped import SHIPPED
from ringscope_core.scenario.units import duration_ns, size_bytes


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_loads(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.title and scenario.description.endswith(".")
    assert scenario.device and scenario.netdev


def test_the_plain_form_is_a_scenario_again() -> None:
    from ringscope_core.scenario.load import parse_scenario

    scenario = load("multiqueue")
    assert parse_scenario(to_toml_data(scenario)) == scenario


@pytest.mark.parametrize(
    ("text", "field", "allowed"),
    [
        ('name = "x"\nzap = 1', "zap", "scenario has name, title"),
        ('name = "x"\n[driver]\nmtu = 5', "driver.mtu", "from 68 to 65535"),
        ('name = "x"\n[driver]\nevent_idx = "perhaps"', "driver.event_idx", "on or off"),
        ('name = "x"\n[driver]\nmac = "12:34"', "driver.mac", "an Ethernet address"),
        ('name = "x"\n[driver]\nip = "1.2.3"', "driver.ip", "an IPv4 address"),
        ('name = "x"\n[driver]\nvlans = [1, 4096]', "driver.vlans.1", "from 0 to 4095"),
        ('name = "x"\n[[traffic]]\nkind = "flood"', "traffic.0.kind", "one of ping, udp-echo"),
        ('name = "x"\n[[traffic]]\nrate_pps = 1', "traffic.0.kind", "must be given"),
        ('name = "x"\n[[traffic]]\nkind = "ping"\ncount = "12"', "traffic.0.count", "a whole number"),
        ('name = "x"\n[[traffic]]\nkind = "mixed"', "traffic.0.rate_pps", "above 0"),
        ('name = "x"\n[[traffic]]\nkind = "bulk-tx"\nsize = 40', "traffic.0.size", "from 50 to 1514 bytes for bulk-tx"),
        ('name = "x"\n[driver]\nmtu = 576\n[[traffic]]\nkind = "ping"\nsize = 549', "traffic.0.size", "from 0 to 548"),
        ('name = "x"\ndevice = ["a"]\n[[traffic]]\nkind = "ping"\ndevice = 1', "traffic.0.device", "no more devices"),
        ('name = "x"\n[machine]\nram = "lots"', "machine.ram", "a size such as"),
        ('name = "x"\n[run]\nduration = "soon"', "run.duration", "a duration such as"),
        ('name = "x"\ndevice = "virtio-net-pci"', "device", "a list"),
        ('name = "x"\nprofile = "9.9"', "profile", "one of 4.1"),
        ('name = "x"\n[[breakpoint]]\nfunction = "no_such_function"', "breakpoint.0.function", "a function of QEMU"),
        ('name = "x"\n[[breakpoint]]\nevent = "kick"\nat = "1s"', "breakpoint.0", "exactly one of"),
        ('name = "x"\n[driver]\npersonality = "dpdk"', "driver.personality", "one of linux, virtio-user"),
        ('name = "x"\ndriver = "dpdk"', "driver.personality", "one of linux, virtio-user"),
        ('name = "x"\n[driver]\ntransport = "mmio"', "driver.transport", "one of auto, modern, legacy"),
        ('name = "x"\n[driver]\nrx_ring = 100', "driver.rx_ring", "a power of two from 2 to 1024"),
        ('name = "x"\n[driver]\ntx_ring = 2048', "driver.tx_ring", "from 0 to 1024"),
        ('name = "x"\n[driver]\ntx_tso = true', "driver.tx_tso", "only with tx_csum"),
        ('name = "x"\n[driver]\nrx_csum = true\nrsc = true', "driver.rsc", "only with rx_gso"),
        ('name = "x"\n[driver]\nrx_mode = "vector"', "driver.rx_mode", "vector is for personality virtio-user"),
        ('name = "x"\n[driver]\nunicast = ["x"]', "driver.unicast.0", "an Ethernet address"),
        ('name = "x"\n[[action]]\nat = "1s"', "action.0.do", "must be given"),
        ('name = "x"\n[[action]]\nat = "1s"\ndo = "explode"', "action.0.do", "one of reset, remove"),
        ('name = "x"\n[[action]]\nat = "1s"\ndo = "break"\nfault = "fire"', "action.0.fault", "one of bad-table"),
        ('name = "x"\n[[action]]\nat = "1s"\ndo = "pairs"', "action.0.number", "from 1 to 511 for pairs"),
        ('name = "x"\n[[action]]\nat = "1s"\ndo = "vlan-add"\nnumber = 4096', "action.0.number", "from 0 to 4095"),
        ('name = "x"\n[[action]]\nat = "1s"\ndo = "mac"', "action.0.mac", "an Ethernet address"),
        ('name = "x"\n[[action]]\nat = "soon"\ndo = "reset"', "action.0.at", "a duration such as"),
        ('name = "x"\ndevice = ["a"]\n[[action]]\nat = "1s"\ndo = "reset"\ndevice = 1', "action.0.device", "no more devices"),
        ('name = "x"\n[[traffic]]\nkind = "tcp-bulk"\nsize = 65496', "traffic.0.size", "from 1 to 65495 bytes of data"),
        ('name = "x"\n[[traffic]]\nkind = "udp-bulk"\nipv6 = true', "traffic.0.ipv6", "only for tcp-bulk"),
        ('name = "x"\nmachine = 3', "machine", "a table"),
        ("title = 'x'", "name", "must be given"),
        ("name = ", "scenario", "a TOML file"),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str, allowed: str) -> None:
    with pytest.raises(InputError) as caught:
        scenario_from_text(text)
    assert caught.value.field == field
    assert allowed in caught.value.allowed
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("traffic.0.rate_pps=fast", "traffic.0.rate_pps"),
        ("traffic.7.size=1", "traffic.7"),
        ("traffic.x.size=1", "traffic.x"),
        ("driver.eventidx=off", "driver.eventidx"),
        ("nonsense=1", "nonsense"),
        ("seed.deep=1", "seed.deep"),
        ("pcap=/tmp/x.pcap", "pcap"),
        ("noequals", "--set"),
        ("=1", "--set"),
    ],
)
def test_a_bad_setting_is_named(setting: str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        load("ping", [setting])
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_settings_change_the_scenario() -> None:
    scenario = load("ping", ["traffic.0.rate_pps=1000", "driver.event_idx=off", "machine.ram=64M", "driver.vlans=3;5", "duration=20ms", "packets=0x10"])
    assert scenario.traffic[0].rate_pps == 1000
    assert not scenario.driver.event_idx
    assert scenario.machine.ram_bytes() == 64 << 20
    assert scenario.driver.vlans == [3, 5]
    assert (scenario.run.duration_ns(), scenario.run.packets) == (20_000_000, 16)


def test_a_personality_alone_stands_for_the_table() -> None:
    scenario = scenario_from_text('name = "x"\ndriver = "virtio-user"', ["driver.burst=16"])
    assert (scenario.driver.personality, scenario.driver.burst) == ("virtio-user", 16)
    assert scenario.driver_config().personality == 1


def test_actions_become_the_guests() -> None:
    scenario = load("recovery", ["action.0.at=5ms", "action.1.queue=3"])
    first, second, *_ = scenario.action_specs()
    assert (first.do, first.at_ns, first.queue, first.text) == ("break", 5_000_000, 1, "bad-table")
    assert (second.queue, second.text) == (3, "zero-length")
    offloads = load("offloads").action_specs()[1]
    assert offloads.number == 1 << 1 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10


def test_devices_are_replaced_then_added() -> None:
    scenario = load("ping", ["device=a,id=x", "device=b", "netdev=responder,id=y"])
    assert (scenario.device, scenario.netdev) == (["a,id=x", "b"], ["responder,id=y"])
    assert load("ping", ["device.1=second"]).device[1] == "second"


def test_a_capture_is_replaced() -> None:
    assert load("pcap-replay").netdev[0].endswith("captures/mixed.pcap")
    replaced = load("pcap-replay", ["pcap=/data/a,b.pcap"]).netdev[0]
    assert replaced == "pcap,id=hostnet0,pace=max,file=/data/a,,b.pcap"


def test_a_source_sends_what_the_receiving_entry_says() -> None:
    option = load("bulk-rx", ["traffic.0.rate_pps=1000", "size=128"]).netdev[0]
    assert option == "source,id=hostnet0,pps=1000,size=128,count=20000,start-ns=0,flows=1"
    assert load("bulk-rx", ["netdev=source,id=a,pps=7,count=3"]).netdev[0] == "source,id=a,pps=7,count=3,size=64,start-ns=0,flows=1"


def test_files_that_are_none(tmp_path: Path) -> None:
    wrong = tmp_path / "x.toml"
    wrong.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load(str(wrong))
    wrong.write_bytes(b"#" * (1 << 21))
    with pytest.raises(InputError, match="bytes"):
        load(str(wrong))
    with pytest.raises(InputError, match=r"one of default, realize"):
        find_scenario("nothing")
    with pytest.raises(InputError):
        find_scenario(str(tmp_path))


def test_driver_and_traffic_become_the_guests() -> None:
    scenario = load("multiqueue", ["driver.rx_mode=big", "driver.tx_layout=split", "traffic.1.start=5ms"])
    config = scenario.driver_config()
    assert (config.rx_mode, config.tx_layout, config.mrg_rxbuf) == (2, 1, False)
    spec = scenario.traffic_specs()[1]
    assert (spec.kind, spec.flows, spec.start_ns, spec.burst) == ("bulk-tx", 8, 5_000_000, 64)


@pytest.mark.parametrize(("text", "ns"), [("3s", 3 * 10**9), ("1.5ms", 1_500_000), ("7", 7 * 10**9), ("2m", 120 * 10**9), ("", 0), ("10 us", 10_000)])
def test_durations(text: str, ns: int) -> None:
    assert duration_ns("x", text) == ns


@pytest.mark.parametrize("text", ["-1s", "1 d", "s", "1e9s", "9" * 30])
def test_bad_durations(text: str) -> None:
    with pytest.raises(InputError):
        duration_ns("x", text)


@pytest.mark.parametrize(("text", "size"), [("128M", 128 << 20), ("4096", 4096), ("1G", 1 << 30), ("64MiB", 64 << 20), ("8k", 8192)])
def test_sizes(text: str, size: int) -> None:
    assert size_bytes("x", text) == size


def test_a_machine_type_of_another_release_is_refused() -> None:
    with pytest.raises(InputError, match=r"machine.type: 'pc-q35-7.2' is not allowed; one of pc-i440fx-4.1, pc-q35-4.1 in profile 4.1"):
        scenario_from_text('name = "x"\n[machine]\ntype = "pc-q35-7.2"')


@pytest.mark.parametrize(
    ("profile", "board", "whole"), [("4.1", "pc", "pc-i440fx-4.1"), ("7.2", "q35", "pc-q35-7.2"), ("7.2", "pc-i440fx-4.1", "pc-i440fx-4.1")]
)
def test_pc_and_q35_are_of_the_profile_s_release(profile: str, board: str, whole: str) -> None:
    scenario = scenario_from_text(f'name = "x"\nprofile = "{profile}"\n[machine]\ntype = "{board}"')
    assert scenario.machine_type() == whole
