"""Hotplug handlers: who is asked before and told after a device appears (hw/core/hotplug.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import InterfaceClass, ObjectClass
from ringscope_core.qom.object import Object

TYPE_HOTPLUG_HANDLER = "hotplug-handler"


@final
class HotplugHandlerClass(InterfaceClass):
    """Hooks of a type that implements the interface."""

    def __init__(self) -> None:
        super().__init__()
        self.pre_plug: Callable[[Object, DeviceState, Errp], None] | None = None
        self.plug: Callable[[Object, DeviceState, Errp], None] | None = None

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)
        if isinstance(parent, HotplugHandlerClass):
            self.pre_plug = parent.pre_plug
            self.plug = parent.plug


def qdev_get_hotplug_handler(dev: DeviceState) -> Object | None:
    """The machine's handler for `dev` (none for devices of ours), else its bus's (qdev.c:247)."""
    bus = dev.parent_bus
    return None if bus is None else bus.hotplug_handler
