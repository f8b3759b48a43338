"""QEMU's command line, as far as ``-netdev``, ``-device``, ``-global``, ``-nic`` and ``-net`` go: in QEMU's order, with what it prints.

What 7.2 does with it: options are parsed from left to right, then netdevs are made, then NICs of ``-nic`` and ``-net``, then devices given as
option strings, then those given as JSON; the first error ends it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from ringscope_core.conform.case import PeerSpec
from ringscope_core.conform.static_machine import CannotMake, add_peer, machine_for, machine_warnings, new_machine
from ringscope_core.hw.machine import Machine, warn_of_short_forms
from ringscope_core.hw.qdev.opts import ID_HINT, DeviceOpts, id_wellformed, parse_device_opts
from ringscope_core.net.backends import net_check_clients
from ringscope_core.net.backends.options import parse_opts
from ringscope_core.net.errors import NetOptionError
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.visitor import PropValue
from ringscope_core.qom.world import GlobalProperty

Words = dict[str, str]

PROGRAM: Final = "qemu-system-x86_64: "
NO_NEWLINE: Final = 'Defaulting to "bh"'
"""QEMU prints this without an end of line, so that the next message stands on its line."""
OPTIONS: Final = ("-netdev", "-device", "-global", "-nic", "-net")
DESCRIPTORS: Final = re.compile(r"\{TAP:(\d+)\}")
MODERN: Final = ("stream", "dgram")
"""Kinds of netdev that 7.2 reads into its schema at once."""
NIC_MODELS: Final = {"virtio": "virtio-net-pci", "virtio-net-pci": "virtio-net-pci"}
OTHER_MODELS: Final = ("e1000", "e1000e", "rtl8139", "ne2k_pci", "ne2k_isa", "pcnet", "vmxnet3", "tulip", "i82551", "i82557b", "i82559er", "")
"""NIC models of QEMU that we do not have; "" is the board's own choice."""
USER_OPTIONS: Final = (
    "hostname restrict ipv4 ipv6 net host tftp bootfile dhcpstart dns dnssearch domainname ipv6-prefix ipv6-prefixlen ipv6-host ipv6-dns smb smbserver"
    " hostfwd guestfwd tftp-server-name"
).split()
TAP_OPTIONS: Final = "ifname fd fds script downscript br helper sndbuf vnet_hdr vhost vhostfd vhostfds vhostforce queues poll-us".split()
SOCKET_OPTIONS: Final = "fd listen connect mcast localaddr udp".split()
STREAM_OPTIONS: Final = ("server", "addr", "reconnect")
DGRAM_OPTIONS: Final = ("local", "remote")
JSON_ERRORS: Final = {"end": "JSON parse error, premature EOI", "value": "JSON parse error, expecting value"}


class Unsupported(Exception):
    """The command line needs something that is not modelled; the text says what."""


class Stop(Exception):
    """The command line ends here; `rc` is the exit code."""

    def __init__(self, rc: int) -> None:
        super().__init__(str(rc))
        self.rc: int = rc


class NetdevRequest:
    """One ``-netdev`` that waits until it is made."""

    def __init__(self, text: str, words: Words, descriptors: dict[str, int]) -> None:
        self.text: str = text
        self.words: Words = words
        self.descriptors: dict[str, int] = descriptors
        """How many descriptors an option holds, of those that hold any."""


class CommandLine:
    """One run of the program."""

    def __init__(self, args: list[str], machine_type: str, profile: str) -> None:
        """Raises Unsupported."""
        self.args: list[str] = args
        try:
            self.machine: Machine = new_machine(profile, machine_for(profile, machine_type))
        except CannotMake as error:
            raise Unsupported(str(error)) from None
        self.v7_2: bool = self.machine.world.v7_2
        self.netdevs: list[NetdevRequest] = []
        self.modern: list[NetdevRequest] = []
        self.nics: list[NetdevRequest] = []
        self.devices: list[DeviceOpts] = []
        self.objects: list[tuple[str, dict[str, PropValue]]] = []
        """Devices given as JSON."""
        self.idents: set[str] = set()

    # -- running ------------------------------------------------------------------------------------------------------
    def run(self) -> tuple[int, list[str]]:
        """Exit code, and the lines of the error output without the program's name; raises Unsupported."""
        world = self.machine.world
        for warning in machine_warnings(world):
            world.warn_report(warning)
        try:
            self._parse()
            for request in self.modern + self.netdevs:
                self._located(f"-netdev {request.text}", lambda request=request: self._make_netdev(request))  # type: ignore[misc]
            for request in self.nics:
                self._located(f"-{'nic' if request.words.get('') == 'nic' else 'net'} {request.text}", lambda request=request: self._make_nic(request))  # type: ignore[misc]
            for request in self.nics:
                self._add_nic(request)
            for opts in self.devices:
                self._add_device(opts)
            for text, values in self.objects:
                self._check_driver(str(values.get("driver", "")))
                if self.machine.device_add_json(text, values) is None and self.machine.last_error:
                    raise Stop(1)
        except Stop as stop:
            return stop.rc, self._lines()
        for warning in net_check_clients(self.machine.net):
            world.warn_report(warning)
        self._check_globals()
        return 0, self._lines()

    def _lines(self) -> list[str]:
        lines: list[str] = []
        for message in self.machine.world.messages:
            for line in message.splitlines():
                if lines and lines[-1].endswith(NO_NEWLINE):
                    lines[-1] += PROGRAM + line
                elif line.strip():
                    lines.append(line)
        return lines

    def _fail(self, text: str, hint: str = "") -> None:
        world = self.machine.world
        world.error_report(text)
        if hint:
            world.error_printf(hint)
        raise Stop(1)

    def _located(self, where: str, action: Callable[[], None]) -> None:
        world = self.machine.world
        world.location = f"{where}: "
        try:
            action()
        finally:
            world.location = ""

    # -- parsing ------------------------------------------------------------------------------------------------------
    def _parse(self) -> None:
        if len(self.args) % 2:
            raise Unsupported("an option without its argument")
        pairs = list(zip(self.args[::2], self.args[1::2], strict=True))
        for option, text in pairs:
            if option not in OPTIONS:
                raise Unsupported(f"option {option}")
            if option == "-device" and self._is_help(text):
                raise Stop(0)
        for option, text in pairs:
            if option == "-device":
                self._located(f"-device {text}", lambda text=text: self._parse_device(text))  # type: ignore[misc]
            elif option == "-global":
                self._parse_global(text)
            elif option == "-netdev":
                self._located(f"-netdev {text}", lambda text=text: self._parse_netdev(text))  # type: ignore[misc]
            else:
                self._located(f"{option} {text}", lambda text=text, option=option: self._parse_nic(option, text))  # type: ignore[misc]

    def _is_help(self, text: str) -> bool:
        """Help is printed before anything else happens; of a type that there is not, that is said."""
        if text.startswith("{"):
            return False
        words = parse_opts(text)
        if not any(key in ("help", "?") for key, _ in words) and text not in ("help", "?"):
            return False
        driver = next((value for key, value in words if key == "type"), "")
        world = self.machine.world
        if driver not in ("help", "?", "") and world.types.lookup(driver) is None and driver != "virtio-net":
            raise Unsupported(f"device {driver}")
        return True

    def _parse_device(self, text: str) -> None:
        if self.v7_2 and text.startswith("{"):
            self.objects.append((text, self._json(text)))
            return
        errp = Errp()
        opts = parse_device_opts(text, self.machine.log, errp)
        if opts is None:
            error = errp.error
            assert error is not None
            self._fail(error.text, error.hint)
            return
        ident = opts.ident
        if ident is not None:
            if ident in self.idents:
                self._fail(f"Duplicate ID '{ident}' for device")
            self.idents.add(ident)
        if self.v7_2:
            warn_of_short_forms(self.machine.world, opts)
        self.devices.append(opts)

    def _json(self, text: str) -> dict[str, Any]:
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            self._fail(JSON_ERRORS["end" if error.pos >= len(text) else "value"])
            raise AssertionError("unreachable") from None
        if any(isinstance(value, (dict, list)) for value in values.values()):
            raise Unsupported("a JSON option that holds more than values")
        # a number with a fraction is none of our kinds: it is refused as a text would be
        return {name: str(value) if isinstance(value, float) else value for name, value in values.items()}

    def _parse_global(self, text: str) -> None:
        found = re.fullmatch(r"([^.=,]+)\.([^=]+)=(.*)", text)
        if found is not None:
            self.machine.world.globals.append(GlobalProperty(*found.groups()))
            return
        words = dict(parse_opts(text))
        if set(words) != {"driver", "property", "value"}:
            raise Unsupported(f"-global {text}")
        self.machine.world.globals.append(GlobalProperty(words["driver"], words["property"], words["value"]))

    def _request(self, text: str) -> NetdevRequest:
        """Options by name; descriptors are counted and their text becomes a word that no number is."""
        descriptors: dict[str, int] = {}
        words: Words = {}
        for key, value in parse_opts(text):
            found = DESCRIPTORS.fullmatch(value)
            if found is not None:
                descriptors[key] = int(found.group(1))
            words[key] = value
        return NetdevRequest(text, words, descriptors)

    def _parse_netdev(self, text: str) -> None:
        if self.v7_2 and text.startswith("{"):
            values = self._json(text)
            self.modern.append(NetdevRequest(text, {key: _word(value) for key, value in values.items()}, {}))
            self._check_modern(self.modern[-1])
            return
        request = self._request(text)
        if self.v7_2 and request.words.get("type") in MODERN:
            self.modern.append(request)
            self._check_modern(request)
            return
        ident = request.words.get("id")
        if ident is not None and not id_wellformed(ident):
            self._fail("Parameter 'id' expects an identifier", ID_HINT)
        if ident is not None and any(other.words.get("id") == ident for other in self.netdevs):
            self._fail(f"Duplicate ID '{ident}' for netdev")
        self._warn_of_words(text)
        self.netdevs.append(request)

    def _warn_of_words(self, text: str) -> None:
        if not self.v7_2:
            return
        opts = parse_device_opts(text, self.machine.log, Errp())
        if opts is not None:
            warn_of_short_forms(self.machine.world, opts)

    def _check_modern(self, request: NetdevRequest) -> None:
        """What 7.2's schema asks of the newer kinds."""
        words = request.words
        kind = words.get("type", "")
        if kind not in MODERN:
            return
        known = STREAM_OPTIONS if kind == "stream" else DGRAM_OPTIONS
        if "id" not in words:
            self._fail("Parameter 'id' is missing")
        stems = {key.split(".")[0] for key in words}
        if kind == "stream" and "addr" not in stems:
            self._fail("Parameter 'addr' is missing")
        for stem in known:
            address = words.get(f"{stem}.type")
            if address is not None and address not in ("inet", "unix", "fd", "vsock"):
                self._fail(f"Parameter 'type' does not accept value '{address}'")
        for key in words:
            if key.split(".")[0] not in ("id", "type", *known):
                self._fail(f"Parameter '{key}' is unexpected")

    def _parse_nic(self, option: str, text: str) -> None:
        if text == "none":
            return
        request = self._request(text)
        request.words[""] = option.lstrip("-")
        self.nics.append(request)

    # -- netdevs ------------------------------------------------------------------------------------------------------
    def _make_netdev(self, request: NetdevRequest) -> None:
        kind = request.words.get("type", "")
        makers: dict[str, Callable[[NetdevRequest], None]] = {
            "tap": self._make_tap,
            "socket": self._make_socket,
            "stream": self._make_stream,
            "dgram": self._make_dgram,
            "user": self._make_user,
        }
        ident = request.words.get("id")
        if kind in makers and ident is not None:
            if self.machine.net.find_netdev(ident) is not None:
                self._fail(f"Duplicate ID '{ident}' for netdev")
            makers[kind](request)
        elif kind in ("bridge", "l2tpv3", "vde", "netmap", "vhost-user", "vhost-vdpa"):
            raise Unsupported(f"network backend {kind}")
        else:
            text = request.text
            if text.startswith("{"):
                text = ",".join([kind, *(f"{key}={value}" for key, value in request.words.items() if key != "type")])
            try:
                self.machine.netdev_add(text)
            except NetOptionError as error:
                self._fail(error.text, error.hint)

    def _known(self, request: NetdevRequest, names: list[str]) -> None:
        for key in request.words:
            if key not in ("id", "type", *names):
                self._fail(f"Invalid parameter '{key}'")

    def _peer(self, request: NetdevRequest, kind: str, queues: int = 1, vnet_hdr: bool = False) -> None:
        add_peer(self.machine, self.machine.net, PeerSpec(kind, queues, vnet_hdr), request.words["id"])

    def _make_user(self, request: NetdevRequest) -> None:
        self._known(request, USER_OPTIONS)
        self._peer(request, "user")

    def _make_socket(self, request: NetdevRequest) -> None:
        self._known(request, SOCKET_OPTIONS)
        given = [name for name in ("fd", "listen", "connect", "mcast", "udp") if name in request.words]
        if len(given) != 1:
            self._fail("exactly one of listen=, connect=, mcast= or udp= is required")
        if given == ["fd"] and not request.words["fd"].isdigit() and "fd" not in request.descriptors:
            self._fail(f"Invalid file descriptor number '{request.words['fd']}'")
        raise Unsupported("a netdev that opens sockets")

    def _make_stream(self, request: NetdevRequest) -> None:
        if request.words.get("addr.type") != "unix" or request.words.get("server", "on") in ("on", "true"):
            raise Unsupported("a netdev that opens sockets")
        # it connects in a thread, so that a path that leads nowhere is no error
        self._peer(request, "stream")

    def _make_dgram(self, request: NetdevRequest) -> None:
        words = request.words
        local, remote = words.get("local.type"), words.get("remote.type")
        if local is None:
            self._fail("dgram requires local= parameter")
        elif remote is None and local != "fd":
            self._fail("type=inet or type=unix requires remote parameter")
        elif remote is not None and local == "fd":
            self._fail("don't set remote with local.fd")
        elif remote is not None and local != remote:
            self._fail("remote and local types must be the same")
        raise Unsupported("a netdev that opens sockets")

    def _make_tap(self, request: NetdevRequest) -> None:
        self._known(request, TAP_OPTIONS)
        words = request.words
        name = words["id"]
        if "fd" in words:
            others = ("ifname", "script", "downscript", "vnet_hdr", "helper", "queues", "fds", "vhostfds")
            if any(other in words for other in others):
                self._fail("ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, fds=, and vhostfds= are invalid with fd=")
            if request.descriptors.get("fd", 1) != 1 or not (words["fd"].isdigit() or "fd" in request.descriptors):
                self._fail(f"Invalid file descriptor number '{words['fd']}'")
            if "fd" not in request.descriptors:
                self._fail(f"{name}: Can't use file descriptor {words['fd']}: Bad file descriptor")
            self._no_vhost(request)
            self._peer(request, "tap", 1, True)
        elif "fds" in words:
            if any(other in words for other in ("ifname", "script", "downscript", "vnet_hdr", "helper", "queues", "vhostfd")):
                self._fail("ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, and vhostfd= are invalid with fds=")
            queues = request.descriptors.get("fds")
            if queues is None:
                raise Unsupported("file descriptors of the recorder's own")
            if "vhostfds" in words and len(words["vhostfds"].split(":")) != queues:
                self._fail("The number of fds passed does not match the number of vhostfds passed")
            self._no_vhost(request)
            self._peer(request, "tap", queues, True)
        else:
            raise Unsupported("a tap of the kernel")

    def _no_vhost(self, request: NetdevRequest) -> None:
        """vhost needs descriptors of its own, and the recorder gave none that are open."""
        words = request.words
        if words.get("vhost") == "on" or words.get("vhostforce") == "on":
            if "vhostfds" in words or "vhostfd" in words:
                first = words.get("vhostfds", words.get("vhostfd", "")).split(":")[0]
                self._fail(f"{words['id']}: Can't use file descriptor {first}: Bad file descriptor")
            raise Unsupported("vhost")

    # -- NICs of -nic and -net ----------------------------------------------------------------------------------------
    def _make_nic(self, request: NetdevRequest) -> None:
        """The backend of ``-nic``; ``-net`` puts both ends on hub 0."""
        words = request.words
        kind = words.get("type", "")
        if words[""] == "net":
            if kind == "hubport":
                self._fail("network backend 'hubport' is only supported with -netdev/-nic")
            if kind == "nic":
                return
            raise Unsupported("-net")
        if kind not in ("hubport",):
            raise Unsupported(f"-nic {kind}")
        if "mac" in words and not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", words["mac"]):
            self._fail("invalid syntax for ethernet address")
        own = ("", "type", "model", "mac", "id")
        words["netdev"] = "__org.qemu.nic0"
        try:
            rest = [f"{key}={value}" for key, value in words.items() if key not in (*own, "netdev")]
            self.machine.netdev_add(",".join([kind, "id=nic0-backend", *rest]))
        except NetOptionError as error:
            self._fail(error.text, error.hint)

    def _add_nic(self, request: NetdevRequest) -> None:
        """The board makes the NIC."""
        words = request.words
        if words[""] == "net":
            return
        model = words.get("model", "")
        if model in OTHER_MODELS:
            raise Unsupported("a NIC of another model")
        if model not in NIC_MODELS:
            self._fail(f"Unsupported NIC model: {model}")
        options = [NIC_MODELS[model], "netdev=nic0-backend"]
        if "mac" in words:
            options.append(f"mac={words['mac']}")
        if self.machine.device_add(",".join(options)) is None:
            raise Stop(1)

    # -- devices ------------------------------------------------------------------------------------------------------
    def _check_driver(self, driver: str) -> None:
        """A type of QEMU's that we lack is no error of the command line's."""
        if driver and driver != "virtio-net" and self.machine.world.types.lookup(driver) is None and not _unheard(driver):
            raise Unsupported(f"device {driver}")

    def _add_device(self, opts: DeviceOpts) -> None:
        self._check_driver(opts.get("driver") or "")
        world = self.machine.world
        world.location = f"-device {opts.text}: "
        found = self.machine.device_add_opts(opts, Errp())
        if found is None and self.machine.last_error:
            raise Stop(1)

    def _check_globals(self) -> None:
        """qdev_prop_check_globals: drivers that are none."""
        world = self.machine.world
        for one in world.globals:
            if one.driver.startswith("virtio-") and world.types.lookup(one.driver) is None:
                # a device of QEMU's that we lack
                continue
            impl = world.types.lookup(one.driver)
            if impl is None or not impl.is_ancestor_named("device"):
                world.warn_report(f"global {one.driver}.{one.property} has invalid class name")


def _word(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


KNOWN_PREFIXES: Final = (
    "virtio-",
    "vhost-",
    "e1000",
    "rtl8139",
    "ne2k",
    "pcnet",
    "vmxnet",
    "pci",
    "usb",
    "ide",
    "scsi",
    "nvme",
    "i82",
    "tulip",
    "ioh",
    "x3130",
    "cxl",
)


def _unheard(driver: str) -> bool:
    """Whether a driver is one that QEMU does not have either, as far as can be told: none of the names that its devices begin with."""
    return driver.startswith("virtio-net") or not driver.startswith(KNOWN_PREFIXES)
