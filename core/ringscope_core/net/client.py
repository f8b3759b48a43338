"""One end of a network connection (net/net.h: NetClientState): a NIC's queue, or a backend.

Two clients are each other's peer; what one sends the other receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.net.queue import NetQueue

if TYPE_CHECKING:
    from ringscope_core.net.host import NetHost
    from ringscope_core.net.nic import NICState

KIND_NIC: Final = "nic"
KIND_HUBPORT: Final = "hubport"


@mypyc_attr(allow_interpreted_subclasses=True)
class NetClientState:
    """A network client.  Subclass it and override `receive`; the rest has defaults (NetClientInfo's empty members).

    A new client is nobody's peer and not yet known: `net.qemu_net_client_setup` does both.
    """

    def __init__(self, host: NetHost, model: str, name: str = "", kind: str = KIND_NIC) -> None:
        """`kind` is NetClientInfo.type by name ("nic", "hubport", "dgram", ...); an empty `name` is made up at set-up."""
        self.host: NetHost = host
        self.model: str = model
        self.name: str = name
        self.kind: str = kind
        self.info_str: str = ""
        """What ``info network`` prints after the name."""
        self.peer: NetClientState | None = None
        self.link_down: bool = False
        self.receive_disabled: bool = False
        """It refused a frame (returned 0) and has not asked for more since."""
        self.queue_index: i64 = 0
        self.vnet_hdr_len: i64 = 0
        self.oid: i64 = 0
        """Object or ring that this client's events speak of; 0 for a backend."""
        self.nic: NICState | None = None
        """The NIC whose queue this is."""
        self.bursting: bool = False
        """Between `begin_burst` and `end_burst`."""
        self.oversize_drops: i64 = 0
        """Frames sent that were longer than NET_BUFSIZE."""
        self.incoming_queue: NetQueue = NetQueue(self)

    # -- frames -------------------------------------------------------------------------------------------------------
    def receive(self, frame: bytes) -> i64:
        """A frame arrives.  Returns its size when taken, below 0 when consumed with an error, 0 for "not now": it then
        waits until `net.qemu_flush_queued_packets`."""
        return len(frame)

    def receive_raw(self, frame: bytes) -> i64:
        """A frame without the virtio_net_hdr that this client's frames have; it puts an empty one in front itself."""
        return self.receive(frame)

    def can_receive(self) -> bool:
        """Whether a frame may come now; asked before each one."""
        return True

    def tx_complete(self, ret: i64) -> None:
        """A frame that this client sent, and that had to wait, is gone: delivered (`ret` as from `receive`) or, with 0,
        purged.  The sender's NetPacketSent callback."""

    def begin_burst(self) -> None:
        """Many frames follow: publish them together at `end_burst`.  Bursts do not nest."""

    def end_burst(self) -> None:
        """The burst is over."""

    def poll(self) -> i64:
        """A backend's share of a turn: move what is there to move; returns how many frames moved."""
        return 0

    def done(self) -> bool:
        """Whether nothing more will come from here by itself."""
        return True

    def peer_can_take(self) -> None:
        """The peer takes frames again: a hub port lets the other ports' frames come (net_hub_flush)."""

    def announce(self) -> None:
        """A NIC tells the network where it is, beside the frame that the host sends for it."""

    # -- life ---------------------------------------------------------------------------------------------------------
    def link_status_changed(self) -> None:
        """`link_down` of this client or of its peer changed."""

    def cleanup(self) -> None:
        """The client goes: close what it holds."""

    # -- virtio_net_hdr offers of a backend ---------------------------------------------------------------------------
    def has_ufo(self) -> bool:
        """Takes UDP fragmentation offload."""
        return False

    def has_vnet_hdr(self) -> bool:
        """Frames can carry a virtio_net_hdr in front."""
        return False

    def has_vnet_hdr_len(self, length: i64) -> bool:
        """A header of `length` bytes is possible."""
        return False

    def using_vnet_hdr(self, enable: bool) -> None:
        """Frames carry the header from now on, or no longer."""

    def set_offload(self, csum: bool, tso4: bool, tso6: bool, ecn: bool, ufo: bool) -> None:
        """What the receiver of this client's frames takes unfinished."""

    def set_vnet_hdr_len(self, length: i64) -> None:
        """Frames carry a header of `length` bytes."""

    def behind(self, size: i64) -> bytes:
        """What lies behind the `size` bytes of the frame it sends, in the buffer that it reads frames into."""
        return b""

    def set_steering_ebpf(self, prog_fd: i64) -> bool:
        """Whether this backend spreads frames over its queues by a program (-1: none) of the NIC's."""
        return False

    def set_queue_attached(self, attached: bool) -> None:
        """This queue of a multiqueue backend takes part from now on, or no longer (peer_attach, peer_detach)."""
