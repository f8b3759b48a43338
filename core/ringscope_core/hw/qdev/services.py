"""What the machine offers to devices through the World, typed."""

from __future__ import annotations

from ringscope_core.hw.context import HwContext
from ringscope_core.net.host import NetHost
from ringscope_core.qom.world import World


def hw_context(world: World) -> HwContext:
    """The machine as devices see it."""
    context = world.context
    assert isinstance(context, HwContext)
    return context


def net_host(world: World) -> NetHost:
    """The network clients and MAC addresses of the machine."""
    return hw_context(world).net
