"""The backends of ``-netdev``.  `create` is the way in; see `registry` for the rest."""

from __future__ import annotations

from ringscope_core.net.backends.registry import (
    backend_drops,
    backend_stats,
    backend_warnings,
    info_network,
    inject,
    net_check_clients,
    netdev_add,
)

create = netdev_add

__all__ = ["backend_drops", "backend_stats", "backend_warnings", "create", "info_network", "inject", "net_check_clients", "netdev_add"]
