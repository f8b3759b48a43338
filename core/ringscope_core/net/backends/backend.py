"""What the backends share: frames on their way to the peer, kept while it cannot take them, and statistics."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.net.client import NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_begin_burst, qemu_end_burst, qemu_send_packet_async
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
        self._backlog: list[bytes] = []
        self._backlog_at: i64 = 0

    def receive(self, frame: bytes) -> i64:
        """Take any frame and count it: a sink."""
        return self.count(len(frame))

    def count(self, size: i64) -> i64:
        """Count a frame of `size` bytes; returns what `receive` says of it.

        An empty one is an error: its size, 0, would mean that it has to wait.
        """
        self.rx_frames += 1
        self.rx_bytes += size
        return size if size > 0 else -1

    def tx_complete(self, ret: i64) -> None:
        """The frame that waited is gone: the flow goes on."""
        self.awaiting = False

    # -- frames towards the peer --------------------------------------------------------------------------------------
    def push(self, frame: bytes) -> None:
        """Keep `frame` for the next `poll`."""
        if len(self._backlog) - self._backlog_at >= BACKLOG_MAX:
            self.backlog_drops += 1
            return
        self._backlog.append(frame)

    def send(self, frame: bytes) -> bool:
        """Send `frame` now; False when it has to wait, after which nothing may be sent until it is gone."""
        self.tx_frames += 1
        self.tx_bytes += len(frame)
        if qemu_send_packet_async(self, frame) == 0:
            # tx_complete comes later, never from inside the call
            self.awaiting = True
            return False
        return True

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
        return {
            "rx_frames": self.rx_frames,
            "rx_bytes": self.rx_bytes,
            "tx_frames": self.tx_frames,
            "tx_bytes": self.tx_bytes,
        }

    def drops(self) -> dict[str, int]:
        """Frames lost here, by reason; only reasons that happened."""
        every = {"backlog full": self.backlog_drops, "too long": self.oversize_drops, "queue full": self.incoming_queue.dropped}
        return {reason: int(count) for reason, count in every.items() if count}

    def warnings(self) -> list[str]:
        """What a person should know, a line each; said once."""
        return []
