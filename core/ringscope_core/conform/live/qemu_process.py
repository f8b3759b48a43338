"""A real QEMU with a virtio-net-pci, driven through qtest and QMP.

The guest's CPU is halted (a BIOS of HLT instructions), so every access comes from here.  Guest memory is a memfd shared with this
process.  Everything QEMU needs travels as inherited descriptors: no files, no named sockets; the child dies with its parent.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.conform.case import CaseConfig
from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.live.line_socket import LineSocket
from ringscope_core.conform.live.netdev_peer import NetdevPeer, make_netdev_peer
from ringscope_core.conform.target import TargetDied, TargetError

PROGRAM: Final = "qemu-system-x86_64"
PROGRAM_VARIABLE: Final = "RINGSCOPE_QEMU"
"""Environment variable that names another QEMU."""
BIOS: Final = b"\xf4" * 65536
SECONDS: Final = 20.0
PREFIX: Final = "qemu-system-x86_64: "
HIDDEN: Final = "TUNSETSTEERINGEBPF"
"""A message of the host's kernel, not of the device."""


def qemu_path() -> str | None:
    """Where QEMU is, None when it is not installed."""
    return shutil.which(os.environ.get(PROGRAM_VARIABLE, PROGRAM))


def qemu_version() -> str:
    """Its release, such as ``7.2.22``; "" when there is none."""
    path = qemu_path()
    if path is None:
        return ""
    text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    words = text.split()
    return words[words.index("version") + 1] if "version" in words[:-1] else ""


_PRCTL: Final = ctypes.CDLL(None, use_errno=True).prctl
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """For the child, before it becomes QEMU."""
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)


class QemuProcess:
    """One process."""

    def __init__(self, config: CaseConfig) -> None:
        """Raises TargetError when QEMU refuses the configuration, HarnessError when it cannot be started."""
        path = qemu_path()
        if path is None:
            raise HarnessError(f"{PROGRAM} is not installed")
        self.config: CaseConfig = config
        self.peer: NetdevPeer = make_netdev_peer(config.peer)
        self.qtest: LineSocket = LineSocket("qtest", SECONDS)
        self.monitor: LineSocket = LineSocket("QMP", SECONDS)
        self._ram_fd: int = os.memfd_create("ringscope-ram")
        os.ftruncate(self._ram_fd, config.ram)
        self._error_fd: int = os.memfd_create("ringscope-stderr")
        self._error_seen: int = 0
        self._closed: bool = False
        self.resets: int = 0
        self._events: list[str] = []
        bios = os.memfd_create("ringscope-bios")
        os.write(bios, BIOS)
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [path, *self._arguments(bios)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._error_fd,
                env={**os.environ, **self.peer.environment()},
                pass_fds=[bios, self._ram_fd, self.qtest.theirs.fileno(), self.monitor.theirs.fileno(), *self.peer.descriptors()],
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call; no lock is taken
            )
        finally:
            os.close(bios)
        self.qtest.theirs.close()
        self.monitor.theirs.close()
        self.peer.started()
        self._map: mmap.mmap = mmap.mmap(self._ram_fd, config.ram)
        self.ram: NDArray[Any] = np.frombuffer(self._map, dtype=np.uint8)

    def _arguments(self, bios: int) -> list[str]:
        config = self.config
        root_port = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=05.0"] if config.behind_root_port else []
        return [
            *("-M", f"{config.machine},memory-backend=m", "-accel", "tcg", "-bios", f"/proc/self/fd/{bios}", "-m", f"{config.ram >> 20}M"),
            *("-object", f"memory-backend-file,id=m,size={config.ram},mem-path=/proc/self/fd/{self._ram_fd},share=on"),
            *("-nodefaults", "-display", "none"),
            *("-chardev", f"socket,id=qtc,fd={self.qtest.theirs.fileno()}", "-object", "qtest,id=qt0,chardev=qtc,log=none"),
            *("-chardev", f"socket,id=qmc,fd={self.monitor.theirs.fileno()}", "-mon", "chardev=qmc,mode=control"),
            *root_port,
            *self.peer.arguments(),
            *("-device", config.device_option()),
        ]

    def wait_ready(self) -> None:
        """Wait until it answers and its netdev is connected."""
        try:
            self.monitor.line()
            self.qmp("qmp_capabilities")
        except TargetDied as died:
            gone = self.gone()
            raise TargetError(" ".join(gone.messages) or str(died)) from None
        if self.config.peer.kind == "stream":
            # it connects in a thread; until then its link is down and frames are lost
            end = time.monotonic() + SECONDS
            while not any(line.strip().startswith("\\ n0:") and not line.rstrip().endswith("type=stream,") for line in self.hmp("info network").splitlines()):
                if time.monotonic() > end:
                    raise HarnessError("netdev stream does not connect")
                time.sleep(0.0005)

    def close(self) -> None:
        """End it."""
        if self._closed:
            return
        self._closed = True
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        self.qtest.close()
        self.monitor.close()
        self.peer.close()
        # other views of the memory may live on; the map goes with the last of them
        del self.ram
        os.close(self._ram_fd)
        os.close(self._error_fd)

    def gone(self) -> TargetDied:
        """How it ended."""
        try:
            code: int | None = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        return TargetDied(code, self.messages()[-3:])

    def messages(self) -> list[str]:
        """What it printed since the last call, without its name in front."""
        end = os.fstat(self._error_fd).st_size
        if end == self._error_seen:
            return []
        text = os.pread(self._error_fd, end - self._error_seen, self._error_seen).decode(errors="replace")
        self._error_seen = end
        return [line.removeprefix(PREFIX) for line in text.splitlines() if line.strip() and HIDDEN not in line]

    # -- QMP ----------------------------------------------------------------------------------------------------------
    def qmp(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        """One command's answer; raises HarnessError with QEMU's error."""
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.monitor.send(json.dumps(request) + "\n")
        while True:
            answer = json.loads(self.monitor.line())
            if "return" in answer:
                return answer["return"]
            if "event" in answer:
                self._events.append(answer["event"])
            if "error" in answer:
                raise HarnessError(f"{command}: {answer['error'].get('desc')}")

    def hmp(self, line: str) -> str:
        """The human monitor's answer."""
        return str(self.qmp("human-monitor-command", {"command-line": line}))

    def wait_event(self, name: str) -> None:
        """Wait for an event since the last `forget_events`."""
        while name not in self._events:
            answer = json.loads(self.monitor.line())
            if "event" in answer:
                self._events.append(answer["event"])

    def forget_events(self) -> None:
        """What came before does not count."""
        self._events.clear()

    # -- qtest --------------------------------------------------------------------------------------------------------
    def batch(self, commands: Sequence[str]) -> list[str]:
        """Send qtest commands in one go; the reply of each ("" or a number as text)."""
        if not commands:
            return []
        self.qtest.send("\n".join(commands) + "\n")
        replies: list[str] = []
        while len(replies) < len(commands):
            line = self.qtest.line()
            if line.startswith(b"OK"):
                replies.append(line[2:].strip().decode())
            elif line.startswith((b"FAIL", b"ERR")):
                raise HarnessError(f"qtest: {commands[len(replies)]!r}: {line.decode()}")
        return replies

    def sync(self, rounds: int) -> None:
        """Let its main loop turn: what was scheduled has run afterwards."""
        for _ in range(rounds):
            self.qtest.send("readb 0x0\n")
            self.qtest.line()
