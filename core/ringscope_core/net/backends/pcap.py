"""Replays a capture into the device, at the pace it was recorded or as fast as it goes, and writes what the device sends."""

from __future__ import annotations

import os
from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.backends.backend import BURST, Backend, WakeTimer
from ringscope_core.net.backends.options import NetdevOptions, VnetHdrOption
from ringscope_core.net.backends.pcap_file import Capture
from ringscope_core.net.backends.pcap_writer import CaptureWriter
from ringscope_core.net.client import NetClientState
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import MAX_QUEUE_NUM, NET_BUFSIZE, qemu_begin_burst, qemu_can_send_packet, qemu_end_burst
from ringscope_core.net.parse import flow_hash
from ringscope_core.trace.log import SEVERITY_ERROR

PACE_RECORDED: Final[i64] = 0
PACE_MAX: Final[i64] = 1


@final
class PcapPort(Backend):
    """One queue of a pcap backend.  The first queue reads the file; frames go to a queue by their flow."""

    def __init__(self, host: NetHost, name: str, capture: Capture | None, writer: CaptureWriter | None, pace: i64) -> None:
        super().__init__(host, "pcap", name)
        self.capture: Capture | None = capture
        self.writer: CaptureWriter | None = writer
        self.pace: i64 = pace
        self.ports: list[PcapPort] = [self]
        """All queues, this one first."""
        self.oversize: i64 = 0
        """Frames of the capture that are longer than the network layer takes."""
        self.broken: str = ""
        """Why the replay ended early."""
        self._next: i64 = 0
        self._count: i64 = 0 if capture is None else len(capture)
        self._start_ns: i64 = -1
        self._first_ns: i64 = 0
        self._timer: WakeTimer = WakeTimer()

    # -- from the device ----------------------------------------------------------------------------------------------
    def receive(self, frame: bytes) -> i64:
        """Write the frame, finished when it has a header, when a file was asked for."""
        if self.vnet is not None:
            return self.receive_unfinished(frame)
        return self.take(frame)

    def take(self, frame: bytes) -> i64:
        """Write a plain frame."""
        writer = self.writer
        if writer is not None:
            writer.write(self.host.log.clock.now_ns, frame)
        return self.count(len(frame))

    # -- to the device ------------------------------------------------------------------------------------------------
    def due_ns(self) -> i64:
        """Virtual time of the next frame, -1 when there is none; the first is due when the device first takes frames."""
        capture = self.capture
        if capture is None or self._next >= self._count:
            return -1
        if self.pace == PACE_MAX:
            return self._start_ns
        due = self._start_ns + capture.time_ns(self._next) - self._first_ns
        # captures of several interfaces are not always in the order of time
        if due < self._start_ns:
            due = self._start_ns
        return due

    def poll(self) -> i64:
        """Send the frames that are due, as one burst."""
        capture = self.capture
        if capture is None or self._next >= self._count or self._blocked():
            return 0
        now = self.host.log.clock.now_ns
        if self._start_ns < 0:
            self._start_ns = now
            self._first_ns = capture.time_ns(0)
        due = self.due_ns()
        if due > now:
            if self._timer.deadline_ns != due:
                self.host.loop.timer_mod(self._timer, due)
            return 0
        return self._replay(capture, now)

    def limit(self, frames: i64) -> None:
        """End the replay after `frames` frames that the network layer takes; more than there are changes nothing."""
        capture = self.capture
        if capture is None:
            return
        left = frames
        end = self._next
        while end < self._count and left > 0:
            if capture.length(end) <= NET_BUFSIZE:
                left -= 1
            end += 1
        self._count = end

    def _blocked(self) -> bool:
        """Whether a frame waits, or no driver is there yet: a replay must not begin before the device takes frames."""
        for port in self.ports:
            if port.awaiting:
                return True
        return not qemu_can_send_packet(self)

    def _replay(self, capture: Capture, now: i64) -> i64:
        sent: i64 = 0
        for port in self.ports:
            qemu_begin_burst(port)
        while sent < BURST:
            due = self.due_ns()
            if due < 0 or due > now:
                break
            sent += 1
            if not self._send_next(capture):
                break
        for port in self.ports:
            qemu_end_burst(port)
        return sent

    def _send_next(self, capture: Capture) -> bool:
        index = self._next
        self._next = index + 1
        if capture.length(index) > NET_BUFSIZE:
            self.oversize += 1
            return True
        try:
            frame = capture.frame(index)
        except NetOptionError as error:
            self.broken = error.text
            self._count = self._next
            self.host.log.message(SEVERITY_ERROR, error.text)
            return False
        return self._port_of(frame).send(frame)

    def _port_of(self, frame: bytes) -> PcapPort:
        """The queue of the frame's flow, the first one while its own has no taker."""
        ports = self.ports
        if len(ports) == 1:
            return self
        port = ports[flow_hash(frame) % len(ports)]
        peer = port.peer
        return port if peer is not None and peer.can_receive() else self

    def done(self) -> bool:
        """Whether the whole capture has gone to the device."""
        return self._next >= self._count and not any(port.awaiting for port in self.ports)

    def cleanup(self) -> None:
        """Close the files; what was written gets its name."""
        if self.capture is not None:
            self.capture.close()
        if self.writer is not None:
            self.writer.close()

    # -- what people ask ----------------------------------------------------------------------------------------------
    def stats(self) -> dict[str, int]:
        """Counts by name; `replayed` are frames of the capture that are past, sent or dropped."""
        counts = super().stats()
        counts["replayed"] = self._next
        counts["capture_frames"] = self._count
        return counts

    def drops(self) -> dict[str, int]:
        """Frames lost here, by reason."""
        counts = super().drops()
        if self.oversize:
            counts["too long"] = counts.get("too long", 0) + self.oversize
        return counts

    def warnings(self) -> list[str]:
        """What the capture's check found."""
        found = [] if self.capture is None else list(self.capture.warnings)
        if self.broken:
            found.append(self.broken)
        return found


def make_pcap(host: NetHost, options: NetdevOptions) -> list[NetClientState]:
    """Clients for ``file=`` (replayed), ``out=`` (written), ``pace=recorded|max``, ``queues=``.  Raises NetOptionError."""
    path = options.optional("file")
    out = options.optional("out")
    pace = PACE_RECORDED if options.choice("pace", "max", ("recorded", "max")) == "recorded" else PACE_MAX
    queues = options.number("queues", 1, 1, int(MAX_QUEUE_NUM))
    vnet_hdr = VnetHdrOption(options)
    options.finish()
    if not path and not out:
        raise NetOptionError("Parameter 'file' is missing", "file", "", "a capture to replay, or out= to write one")
    if path and out and os.path.exists(out) and os.path.samefile(path, out):
        raise NetOptionError("Parameter 'out' expects another file than 'file'", "out", out, "another file")
    capture = Capture.open(path) if path else None
    try:
        writer = CaptureWriter(out) if out else None
    except NetOptionError:
        if capture is not None:
            capture.close()
        raise
    first = PcapPort(host, options.id, capture, writer, pace)
    for _ in range(queues - 1):
        first.ports.append(PcapPort(host, options.id, None, writer, pace))
    for port in first.ports:
        port.vnet = vnet_hdr.make()
    first.info_str = ",".join([f"file={path}"] * bool(path) + [f"out={out}"] * bool(out))
    return list(first.ports)
