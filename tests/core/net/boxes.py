"""A host without a machine, and a client that keeps what it gets."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.net.backends import create
from ringscope_core.net.backends.backend import Backend
from ringscope_core.net.client import NetClientState
from ringscope_core.net.net import NetHost, qemu_new_nic, qemu_send_packet_async
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop


class Box(NetClientState):
    """A client that keeps what it gets, and notes everything that happens to it."""

    def __init__(self, host: NetHost, model: str = "box", name: str = "", kind: str = "nic") -> None:
        super().__init__(host, model, name, kind)
        self.frames: list[bytes] = []
        self.notes: list[str] = []
        self.answers: list[int] = []
        self.ready = True
        self.echo = b""

    def receive(self, frame: bytes) -> i64:
        if self.echo:
            reply, self.echo = self.echo, b""
            qemu_send_packet_async(self, reply)
        if self.answers:
            answer = self.answers.pop(0)
            if answer <= 0:
                return answer
        self.frames.append(frame)
        return len(frame)

    def can_receive(self) -> bool:
        return self.ready

    def tx_complete(self, ret: i64) -> None:
        self.notes.append(f"complete {ret}")

    def begin_burst(self) -> None:
        self.notes.append("begin")

    def end_burst(self) -> None:
        self.notes.append("end")

    def link_status_changed(self) -> None:
        self.notes.append("link")

    def cleanup(self) -> None:
        self.notes.append("cleanup")

    def take(self) -> list[bytes]:
        """What came since the last call."""
        frames, self.frames = self.frames, []
        return frames


def make_host() -> NetHost:
    """A host with its clock at 0."""
    clock = Clock()
    return NetHost(EventLog(clock), MainLoop(clock))


def nic_on(host: NetHost, option_string: str) -> tuple[Box, Backend]:
    """A one-queue NIC and the first client of a new backend, each other's peers."""
    backend = create(host, option_string)[0]
    assert isinstance(backend, Backend)
    nic = Box(host, "virtio-net-pci")
    qemu_new_nic([nic], [backend])
    return nic, backend
