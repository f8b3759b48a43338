"""What the command line says about a NIC (include/net/net.h: NICConf, NICPeers)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.client import NetClientState

MAX_QUEUE_NUM: Final = 1024
"""Queue pairs a NIC may have peers for."""


@final
class NICPeers:
    """The backends that ``netdev=`` named, one a queue pair."""

    def __init__(self) -> None:
        self.ncs: list[NetClientState] = []
        self.queues: i64 = 0


@final
class NICConf:
    """MAC address (6 bytes, all zeros: choose one), peers and boot order of a NIC."""

    def __init__(self) -> None:
        self.macaddr: bytes = bytes(6)
        self.peers: NICPeers = NICPeers()
        self.bootindex: i64 = 0
