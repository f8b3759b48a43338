"""DeviceClass: the hooks and the property table of a device type (include/hw/qdev-core.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringscope_core.hw.qdev.properties import LegacyObjectProperty, Property, QdevObjectProperty
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass

if TYPE_CHECKING:
    from ringscope_core.hw.qdev.device import DeviceState

DEVICE_CATEGORY_NETWORK = "network"


class DeviceClass(ObjectClass):
    """Hooks that a type's class_init sets; a type inherits its parent's, but for `props`."""

    def __init__(self) -> None:
        super().__init__()
        self.categories: list[str] = []
        self.desc: str = ""
        self.props: list[Property] = []
        """Static properties of exactly this type."""
        self.user_creatable: bool = False
        """``-device`` may make one."""
        self.hotpluggable: bool = False
        self.reset: Callable[[DeviceState], None] | None = None
        self.realize: Callable[[DeviceState, Errp], None] | None = None
        self.unrealize: Callable[[DeviceState, Errp], None] | None = None
        self.vmsd: str = ""
        """Name of the migration description, "" for none."""
        self.bus_type: str = ""

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)
        if isinstance(parent, DeviceClass):
            self.categories = list(parent.categories)
            self.desc = parent.desc
            self.props = parent.props
            self.user_creatable = parent.user_creatable
            self.hotpluggable = parent.hotpluggable
            self.reset = parent.reset
            self.realize = parent.realize
            self.unrealize = parent.unrealize
            self.vmsd = parent.vmsd
            self.bus_type = parent.bus_type


def device_class_set_props(klass: DeviceClass, props: list[Property]) -> None:
    """Give a type its static properties; 7.2 makes class properties of them here, 4.1 properties of each object (device_initfn)."""
    klass.props = props
    if klass.type.table.v7_2:
        for prop in props:
            if prop.legacy_twin:
                twin = LegacyObjectProperty(prop)
                klass.properties[twin.name] = twin
            klass.properties[prop.name] = QdevObjectProperty(prop)
