"""Static properties that speak of more than their device: MAC address, netdev, PCI slot (qdev-properties.c, qdev-properties-system.c)."""

from __future__ import annotations

import re
from typing import final

from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.nic_conf import MAX_QUEUE_NUM, NICPeers
from ringscope_core.hw.qdev.properties import EEXIST, EINVAL, ENOENT, Property, prop_error
from ringscope_core.hw.qdev.services import net_host
from ringscope_core.net.client import KIND_NIC
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.visitor import PropValue, QObjectInputVisitor, Visitor

FN_SET_MAC = declare("set_mac", "obj:ptr v:unknown name:str opaque:unknown errp:ptr")
FN_SET_NETDEV = declare("set_netdev", "obj:ptr v:unknown name:str opaque:unknown errp:ptr")
FN_SET_PCI_DEVFN = declare("set_pci_devfn", "obj:ptr v:unknown name:str opaque:unknown errp:ptr")

_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
_HEX = r"\s*([+-]?(?:0[xX])?[0-9a-fA-F]+)"
_DEVFN = re.compile(rf"{_HEX}(?:\.{_HEX})?")


@final
class MacProperty(Property):
    """A MAC address; the member is 6 bytes (DEFINE_PROP_MACADDR)."""

    def __init__(self, name: str, member: Member) -> None:
        super().__init__(name, "str", member, None, "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56")

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, bytes)
        return value.hex(":")

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        log = dev.world.log
        FN_SET_MAC.enter(log, dev.addr, log.text(name), errp.addr)
        text = visitor.type_str(name, errp)
        if not errp.failed():
            if _MAC.fullmatch(text):
                self.member.put(dev, bytes.fromhex(text.replace(":", "").replace("-", "")))
            else:
                prop_error(dev, self, EINVAL, text, errp)
        log.leave()


@final
class NetdevProperty(Property):
    """The backends by their common name; the member is a NICPeers (DEFINE_PROP_NETDEV)."""

    def __init__(self, name: str, member: Member) -> None:
        super().__init__(name, "str", member, None, "ID of a netdev to use as a backend")

    def _peers(self, dev: DeviceState) -> NICPeers:
        peers = self.member.get(dev)
        assert isinstance(peers, NICPeers)
        return peers

    def get(self, dev: DeviceState) -> PropValue:
        ncs = self._peers(dev).ncs
        return ncs[0].name if ncs else ""

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        log = dev.world.log
        FN_SET_NETDEV.enter(log, dev.addr, log.text(name), errp.addr)
        text = visitor.type_str(name, errp)
        if not errp.failed():
            self._attach(dev, text, errp)
        log.leave()

    def _attach(self, dev: DeviceState, text: str, errp: Errp) -> None:
        peers = self._peers(dev)
        found = net_host(dev.world).find_clients(text, KIND_NIC)
        if not found:
            prop_error(dev, self, ENOENT, text, errp)
        elif len(found) > MAX_QUEUE_NUM:
            errp.set(dev.world.log, f"queues of backend '{text}'({len(found)}) exceeds QEMU limitation({MAX_QUEUE_NUM})")
        elif any(nc.peer is not None for nc in found):
            prop_error(dev, self, EEXIST, text, errp)
        elif peers.ncs:
            prop_error(dev, self, EINVAL, text, errp)
        else:
            for index, nc in enumerate(found):
                nc.queue_index = index
            peers.ncs = found
            peers.queues = len(found)


@final
class PciDevfnProperty(Property):
    """Slot and function as ``SLOT.FN`` in hexadecimal, or a number (qdev_prop_pci_devfn)."""

    def __init__(self, name: str, member: Member, default: int) -> None:
        super().__init__(name, "int32", member, default, "Slot and optional function number, example: 06.0 or 06")
        self.legacy_twin = True

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return value

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        log = dev.world.log
        FN_SET_PCI_DEVFN.enter(log, dev.addr, log.text(name), errp.addr)
        if isinstance(visitor, QObjectInputVisitor) and not isinstance(visitor.value, str):
            if visitor.v7_2 and (isinstance(visitor.value, bool) or not isinstance(visitor.value, int)):
                errp.set(log, f"Invalid parameter type for '{name}', expected int or str")
                log.leave()
                return
            value = visitor.type_int(name, 32, errp)
            if not errp.failed():
                if -1 <= value <= 255:
                    self.member.put(dev, value)
                else:
                    visitor.bad_value(name, "a value between -1 and 255" if visitor.v7_2 else "pci_devfn", errp)
        else:
            self._set_text(dev, visitor.type_str(name, errp), errp)
        log.leave()

    def _set_text(self, dev: DeviceState, text: str, errp: Errp) -> None:
        found = _DEVFN.fullmatch(text)
        slot = int(found.group(1), 16) if found else 32
        function = int(found.group(2), 16) if found and found.group(2) else 0
        if not 0 <= slot <= 31 or not 0 <= function <= 7:
            prop_error(dev, self, EINVAL, text, errp)
            return
        self.member.put(dev, slot << 3 | function)

    def print_legacy(self, dev: DeviceState) -> str | None:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return "<unset>" if value == -1 else f"{value >> 3:02x}.{value & 7:x}"
