"""Announcing: telling the network where a NIC is, in rounds whose distance grows (net/announce.c)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.net.addresses import BROADCAST
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_send_packet_raw
from ringscope_core.net.packet import be16
from ringscope_core.trace.mainloop import MainLoop, Timer

NS_PER_MS: Final[i64] = 1_000_000
MAX_DELAY_MS: Final = 1 << 40
"""About 35 years: still a deadline in native width."""
ETH_P_RARP: Final[i64] = 0x8035
ARP_REVERSE_REQUEST: Final[i64] = 3
FRAME_SIZE: Final = 60


@final
class AnnounceParameters:
    """How often and when (QAPI AnnounceParameters); times in ms.  The defaults are the migration's."""

    def __init__(self, initial: i64 = 50, maximum: i64 = 550, rounds: i64 = 5, step: i64 = 100) -> None:
        self.initial: i64 = initial
        self.maximum: i64 = maximum
        self.rounds: i64 = rounds
        self.step: i64 = step
        self.interfaces: list[str] | None = None
        """Names of the NICs that announce themselves; None for all."""


@mypyc_attr(allow_interpreted_subclasses=True)
class AnnounceTimer(Timer):
    """Counts the rounds down.  Subclass and override `fire`."""

    def __init__(self, loop: MainLoop) -> None:
        super().__init__()
        self.loop: MainLoop = loop
        self.params: AnnounceParameters = AnnounceParameters()
        self.round: i64 = 0
        """Rounds still to come; 0 when nothing is announced."""

    def reset(self, params: AnnounceParameters) -> None:
        """Begin anew, not armed (qemu_announce_timer_reset)."""
        self.loop.timer_del(self)
        self.params = params
        self.round = params.rounds

    def stop(self) -> None:
        """No more rounds (qemu_announce_timer_del)."""
        self.loop.timer_del(self)
        self.round = 0

    def start(self) -> None:
        """The first round is due now."""
        self.loop.timer_mod(self, self.loop.clock.now_ns)

    def delay_ms(self) -> i64:
        """The pause before the next round, longer each time up to the maximum; overflow or a negative sum is the maximum."""
        params = self.params
        # whatever numbers the monitor sends: not in native width
        delay = int(params.initial) + (int(params.rounds) - int(self.round) - 1) * int(params.step)
        if delay < 0 or delay > int(params.maximum):
            delay = int(params.maximum)
        return min(delay, MAX_DELAY_MS)

    def step(self) -> i64:
        """Arm for the next round; returns its pause in ms (qemu_announce_timer_step)."""
        delay = self.delay_ms()
        self.loop.timer_mod(self, self.loop.clock.now_ns + delay * NS_PER_MS)
        return delay


def announce_frame(mac: bytes) -> bytes:
    """The RARP request that makes switches learn where `mac` is (announce_self_create); 60 bytes."""
    body = be16(1) + be16(0x0800) + b"\x06\x04" + be16(ARP_REVERSE_REQUEST) + mac + bytes(4) + mac + bytes(4)
    frame = BROADCAST + mac + be16(ETH_P_RARP) + body
    return frame + bytes(FRAME_SIZE - len(frame))


@final
class SelfAnnouncer(AnnounceTimer):
    """The host's side of announce-self: every round, each NIC's frame, and the NIC's own way."""

    def __init__(self, host: NetHost) -> None:
        super().__init__(host.loop)
        self.host: NetHost = host

    def fire(self) -> None:
        """One round (qemu_announce_self_once)."""
        for nc in list(self.host.clients):
            nic = nc.nic
            if nic is None or nc.queue_index != 0:
                continue
            wanted = self.params.interfaces
            if wanted is None or nc.name in wanted:
                qemu_send_packet_raw(nc, announce_frame(nic.mac))
                nc.announce()
        self.round -= 1
        if self.round != 0:
            self.step()
        else:
            self.stop()


def qemu_announce_self(announcer: SelfAnnouncer, params: AnnounceParameters) -> None:
    """Announce every NIC, the first time now; what was under way is replaced."""
    announcer.reset(params)
    if params.rounds != 0:
        announcer.fire()
    else:
        announcer.stop()
