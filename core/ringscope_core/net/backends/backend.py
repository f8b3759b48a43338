"""What the backends share: frames on their way to the peer, kept while it cannot take them, and statistics."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.net.backends.vnet import VnetSide, header_possible
from ringscope_core.net.client import NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_begin_burst, qemu_end_burst, qemu_send_packet_async
from ringscope_core.net.vnet_header import HDR_LEGACY
from ringscope_core.trace.mainloop import Timer

BACKLOG_MAX: Final[i64] = 10000
"""Frames a backend keeps for a peer that does not take them; more are dropped and counted."""
BURST: Final[i64] = 256
"""Frames handed over in one turn at most, so that the guest gets its turn."""


@final
class WakeTimer(Timer):
    """Marks the virtual time at which a backend has something to do: the run's clock jumps there, and `poll` does it."""

    def fire(self) -> None:
        """Nothing: the deadline was what mattered."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Backend(NetClientState):
    """A client that is no NIC.  Subclasses receive frames, and `push` what they send or produce it in `poll`."""

    def __init__(self, host: NetHost, kind: str, name: str) -> None:
        super().__init__(host, kind, name, kind)
        self.rx_frames: i64 = 0
        """Frames that the guest sent here."""
        self.rx_bytes: i64 = 0
        self.tx_frames: i64 = 0
        """Frames that went from here to the guest."""
        self.tx_bytes: i64 = 0
        self.backlog_drops: i64 = 0
        self.awaiting: bool = False
        """The last frame waits at the peer: nothing more is sent before `tx_complete`."""
        self.vnet: VnetSide | None = None
        """With ``vnet_hdr=on``: frames to and from the peer have a virtio_net_hdr, which ends here."""
        self._outstanding: i64 = 0
        """Frames that wait at the peer."""
        self._backlog: list[bytes] = []
        self._backlog_at: i64 = 0

    def receive(self, frame: bytes) -> i64:
        """Take any frame, finished when it has a header."""
        if self.vnet is not None:
            return self.receive_unfinished(frame)
        return self.take(frame)

    def receive_raw(self, frame: bytes) -> i64:
        """A frame that has no header whatever was agreed on."""
        return self.take(frame)

    def take(self, frame: bytes) -> i64:
        """What becomes of a plain frame; returns as `receive`.  Here it is counted: a sink."""
        return self.count(len(frame))

    def receive_unfinished(self, frame: bytes) -> i64:
        """Finish a frame and take what it becomes."""
        for plain in self.plain_frames(frame):
            self.take(plain)
        return len(frame) if frame else -1

    def plain_frames(self, frame: bytes) -> list[bytes]:
        """The frames that one from the peer stands for; none when its header makes no sense."""
        vnet = self.vnet
        if vnet is None or self.vnet_hdr_len == 0:
            return [frame]
        return vnet.unwrap(frame, self.vnet_hdr_len)

    def frames_for_peer(self, frame: bytes) -> list[bytes]:
        """What the peer gets of a plain frame: as it is, or behind a header, in pieces when it is too long for what the peer takes."""
        vnet = self.vnet
        if vnet is None or self.vnet_hdr_len == 0:
            return [frame]
        return vnet.wrap(frame, self.vnet_hdr_len)

    def count(self, size: i64) -> i64:
        """Count a frame of `size` bytes; returns what `receive` says of it.

        An empty one is an error: its size, 0, would mean that it has to wait.
        """
        self.rx_frames += 1
        self.rx_bytes += size
        return size if size > 0 else -1

    def tx_complete(self, ret: i64) -> None:
        """A frame that waited is gone: when it was the last one, the flow goes on."""
        if self._outstanding > 0:
            self._outstanding -= 1
        self.awaiting = self._outstanding > 0

    # -- virtio_net_hdr -----------------------------------------------------------------------------------------------
    def has_vnet_hdr(self) -> bool:
        """With ``vnet_hdr=on``."""
        return self.vnet is not None

    def has_ufo(self) -> bool:
        """With a header also UDP."""
        return self.vnet is not None

    def has_vnet_hdr_len(self, length: i64) -> bool:
        """Any header there is."""
        return self.vnet is not None and header_possible(length)

    def using_vnet_hdr(self, enable: bool) -> None:
        """A NIC puts headers in front of its frames, and wants them."""
        self.vnet_hdr_len = HDR_LEGACY if enable else 0

    def set_vnet_hdr_len(self, length: i64) -> None:
        """The header has `length` bytes."""
        self.vnet_hdr_len = length

    def set_offload(self, csum: bool, tso4: bool, tso6: bool, ecn: bool, ufo: bool) -> None:
        """What the driver takes unfinished."""
        if self.vnet is not None:
            self.vnet.set_offload(csum, tso4, tso6, ecn, ufo)

    # -- frames towards the peer --------------------------------------------------------------------------------------
    def push(self, frame: bytes) -> None:
        """Keep `frame` for the next `poll`."""
        if len(self._backlog) - self._backlog_at >= BACKLOG_MAX:
            self.backlog_drops += 1
            return
        self._backlog.append(frame)

    def send(self, frame: bytes) -> bool:
        """Send `frame` now; False when it has to wait, after which nothing may be sent until it is gone."""
        if self.vnet is not None:
            return self._send_wrapped(frame)
        self.tx_frames += 1
        self.tx_bytes += len(frame)
        if qemu_send_packet_async(self, frame) == 0:
            # tx_complete comes later, never from inside the call
            self._outstanding = 1
            self.awaiting = True
            return False
        return True

    def _send_wrapped(self, frame: bytes) -> bool:
        """Send what `frame` becomes for the driver, all of it: behind a piece that waits the others wait too."""
        for one in self.frames_for_peer(frame):
            self.tx_frames += 1
            self.tx_bytes += i64(len(one)) - self.vnet_hdr_len
            if qemu_send_packet_async(self, one) == 0:
                self._outstanding += 1
                self.awaiting = True
        return not self.awaiting

    def send_backlog(self) -> i64:
        """Send what was pushed, as one burst; returns how many frames went."""
        count: i64 = len(self._backlog) - self._backlog_at
        if count == 0 or self.awaiting:
            return 0
        if count > BURST:
            count = BURST
        sent: i64 = 0
        backlog = self._backlog
        qemu_begin_burst(self)
        while sent < count:
            frame = backlog[self._backlog_at]
            self._backlog_at += 1
            sent += 1
            if not self.send(frame):
                break
        qemu_end_burst(self)
        if self._backlog_at == len(backlog):
            self._backlog = []
            self._backlog_at = 0
        return sent

    def poll(self) -> i64:
        """Send what was pushed."""
        return self.send_backlog()

    def idle(self) -> bool:
        """Whether nothing pushed is left."""
        return len(self._backlog) == self._backlog_at

    def done(self) -> bool:
        """Whether nothing more will come by itself."""
        return self.idle()

    # -- what people ask ----------------------------------------------------------------------------------------------
    def stats(self) -> dict[str, int]:
        """Counts by name."""
        counts: dict[str, int] = {
            "rx_frames": self.rx_frames,
            "rx_bytes": self.rx_bytes,
            "tx_frames": self.tx_frames,
            "tx_bytes": self.tx_bytes,
        }
        vnet = self.vnet
        if vnet is not None:
            counts["checksums_done"] = vnet.checksums_done
            counts["frames_cut"] = vnet.frames_cut
            counts["pieces"] = vnet.pieces
            counts["bad_headers"] = vnet.bad_headers
            counts["checksums_left"] = vnet.checksums_left
            counts["large_left"] = vnet.large_left
        return counts

    def drops(self) -> dict[str, int]:
        """Frames lost here, by reason; only reasons that happened."""
        every = {"backlog full": self.backlog_drops, "too long": self.oversize_drops, "queue full": self.incoming_queue.dropped}
        if self.vnet is not None:
            every["bad header"] = self.vnet.bad_headers
        return {reason: int(count) for reason, count in every.items() if count}

    def warnings(self) -> list[str]:
        """What a person should know, a line each; said once."""
        return []
