"""The inspector: the right page for each subject, and nothing invented on it."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands, Controls
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.views.inspector.dissect import dissect
from ringscope.views.inspector.view import InspectorView
from ringscope.widgets.hex_view import hex_lines
from ringscope_core.gdb.hooks import HOOKS, effective_hooks
from ringscope_core.net.packet import arp_request, ping_frame
from ringscope_core.trace.function_lines import FUNCTION_LINES
from ringscope_core.trace.kinds import KIND_BY_NAME
from ringscope_core.trace.oids import ring_oid
from tests.app.synthetic import BDF, icmp_frame


@pytest.fixture
def view(store: Store, focus: Focus, commands: Commands, qtbot: QtBot) -> InspectorView:
    made = InspectorView(store, focus, commands)
    qtbot.addWidget(made)
    made.resize(420, 800)
    made.show()
    focus.select(seq=store.last_seq)
    return made


def oid_of(store: Store, name: str) -> int:
    return next(oid for oid in store.names.known() if store.name_of(oid) == name)


def test_the_page_follows_what_was_selected(view: InspectorView, focus: Focus) -> None:
    for given, name in (({"oid": 4}, "object"), ({"type_name": "bus"}, "type"), ({"packet": 3}, "packet"), ({"seq": 9, "subject": "event"}, "event")):
        focus.select(**given)  # type: ignore[arg-type]
        assert view.page is view.pages[name] and view.buttons[name].isChecked()
    focus.select(oid=int(ring_oid(BDF, 1)), head=3)
    assert view.page is view.pages["descriptor"]


def test_fields_as_gdb_prints_them_with_unknown_where_nothing_was_seen(view: InspectorView, focus: Focus, store: Store) -> None:
    focus.select(oid=oid_of(store, "virtio-backend"))
    view.refresh()
    text = view.table_text()
    assert "(gdb) p *(struct VirtIONet *)0x" in text and "$1 = {" in text
    assert "  max_queues = 1," in text and f"host_features = {0x79BFFFE7}," in text
    assert "nic = <unknown>," in text and "ref = 3," in text


def test_a_field_seen_once_is_zero_before_it_was_set(view: InspectorView, focus: Focus, store: Store) -> None:
    oid = oid_of(store, "virtio-backend")
    focus.select(oid=oid)
    view.refresh()
    written = store.find([KIND_BY_NAME["field"].number], 0, store.last_seq)[0]
    focus.select(seq=int(written["seq"]) - 1)
    view.refresh()
    assert "max_queues = 0," in view.table_text()


def test_history_lists_changes_up_to_the_moment(view: InspectorView, focus: Focus, store: Store) -> None:
    page = view.pages["object"]
    focus.select(oid=oid_of(store, "virtio-backend"))
    page.tabs.setCurrentIndex(4)  # type: ignore[attr-defined]
    view.refresh()
    assert view.table_text().count("status") == 4
    first = store.find([KIND_BY_NAME["field"].number], 0, store.last_seq)[0]
    focus.select(seq=int(first["seq"]))
    view.refresh()
    assert view.table_text().count("status") == 0 and "max_queues" in view.table_text()


def test_origin_is_the_stack_that_created_it(view: InspectorView, focus: Focus, store: Store) -> None:
    focus.select(oid=oid_of(store, "net0"))
    view.pages["object"].tabs.setCurrentIndex(3)  # type: ignore[attr-defined]
    view.refresh()
    assert "#0 qdev_device_add (" in view.table_text() and "object_new" not in view.table_text().splitlines()[3]


def test_properties_are_asked_of_a_running_machine_only(view: InspectorView, focus: Focus, store: Store, commands: Commands) -> None:
    focus.select(oid=oid_of(store, "net0"))
    view.pages["object"].tabs.setCurrentIndex(1)  # type: ignore[attr-defined]
    view.refresh()
    assert "only a running machine tells its properties" in view.table_text()

    class Machine(Controls):
        def query(self, command: str, arguments: dict[str, object], reply: object) -> bool:
            assert callable(reply)
            reply([{"name": "realized", "type": "bool"}, {"name": "virtio-backend", "type": "child<virtio-net-device>"}] if command == "qom-list" else True)
            return True

    commands.bind(Machine())
    view.pages["object"]._asked_at = 0.0  # type: ignore[attr-defined]
    view.refresh()
    assert "realized\ttrue\tbool" in view.table_text() and "virtio-backend\tunknown\tchild<" in view.table_text()


def test_event_page_decodes_and_follows_causes(view: InspectorView, focus: Focus, store: Store) -> None:
    take = store.find([KIND_BY_NAME["used_take"].number], 0, store.last_seq)[0]
    focus.select(seq=int(take["seq"]), subject="event")
    view.refresh()
    text = view.table_text()
    assert "num_free\t64\tcount" in text
    causes = [line.split()[1] for line in text.splitlines() if line.strip().split(" ")[0].isdigit()]
    assert causes == ["virtio_notify", "kick"]


def test_packet_page_shows_headers_and_bytes(view: InspectorView, focus: Focus) -> None:
    focus.select(packet=2)
    view.refresh()
    text = view.table_text()
    assert "52:54:00:12:34:56" in text and hex_lines(icmp_frame(0), 8)[0] in text
    focus.select(packet=10**6)
    view.refresh()
    assert "was not recorded" in view.table_text()


def test_descriptor_page_shows_the_chain_and_its_last_frame(view: InspectorView, focus: Focus) -> None:
    focus.select(oid=int(ring_oid(BDF, 1)), head=5)
    view.refresh()
    text = view.table_text()
    assert "addr\t0x2002800\tguest phys." in text and "110 B out, 0 B in" in text and "Last frame through this head" in text


def test_type_page_shows_parents_and_overridden_hooks(view: InspectorView, focus: Focus) -> None:
    focus.select(type_name="virtio-net-device")
    view.refresh()
    assert [line.split("\t")[0] for line in view.table_text().splitlines() if "B\t" in line] == ["virtio-net-device", "virtio-device", "device", "object"]
    view.pages["type"].tabs.setCurrentIndex(1)  # type: ignore[attr-defined]
    assert "realize\tvirtio_net_device_realize\tvirtio-net-device" in view.table_text()


def test_hooks_are_inherited_and_overridden_as_classes_are_copied() -> None:
    found = {slot: (function, setter, over) for slot, function, setter, over in effective_hooks(["virtio-net-pci-base", "virtio-pci", "pci-device", "device"])}
    assert found["DeviceClass.realize"] == ("virtio_pci_dc_realize", "virtio-pci", "pci_qdev_realize of pci-device")
    assert found["DeviceClass.unrealize"] == ("pci_qdev_unrealize", "pci-device", "")


def test_every_hook_is_a_function_of_qemu() -> None:
    assert [function for rows in HOOKS.values() for _, function in rows if function not in FUNCTION_LINES] == []


def test_dissection_reads_what_the_model_sends() -> None:
    mac, ip = b"\x52\x54\x00\x12\x34\x56", b"\x0a\x00\x02\x0f"
    rows = dissect(ping_frame(mac, mac, ip, ip, 7, 9, b"x" * 20))
    assert ("ICMP", "sequence", "9") in rows and ("ICMP", "checksum", "holds") in rows and ("IPv4", "source", "10.0.2.15") in rows
    assert ("ARP", "operation", "request") in dissect(arp_request(mac, ip, ip))
    assert dissect(b"runt") == [("Note", "stops here", "runt")]


def test_hex_lines_keep_their_columns() -> None:
    lines = hex_lines(bytes(range(20)))
    assert lines[0].startswith("0000  00 01 02 03 04 05 06 07  08") and lines[1].startswith("0010  10 11 12 13")
    assert lines[0].index("..") == lines[1].index("..")


def test_a_split_ring_has_no_fields_of_a_packed_one(view: InspectorView, focus: Focus) -> None:
    focus.select(oid=int(ring_oid(BDF, 1)), subject="object")
    view.refresh()
    assert "avail_idx_shadow = " in view.table_text() and "next_avail_idx" not in view.table_text()
