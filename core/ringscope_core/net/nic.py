"""A NIC as the network sees it: one client a queue pair (net/net.h: NICState)."""

from __future__ import annotations

from typing import final

from ringscope_core.net.client import NetClientState


@final
class NICState:
    """The queues of one NIC."""

    def __init__(self, ncs: list[NetClientState]) -> None:
        self.ncs: list[NetClientState] = ncs
        self.mac: bytes = b""
        """NICConf.macaddr: given back when the NIC goes; empty when it was not taken from the host."""
        self.peer_deleted: bool = False
        """The backend is gone but stays allocated until the NIC goes."""
