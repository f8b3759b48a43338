"""Options that every verb with a scenario has: ``--set``, ``--device``, ``--netdev``, ``--seed``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ringscope_core.scenario.model import Scenario

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class ScenarioOptions:
    """What was given on the command line."""

    settings: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    netdevs: tuple[str, ...] = ()
    seed: int | None = None
    all_settings: list[str] = field(init=False)
    """Everything as ``key=value`` settings, in the order in which they apply."""

    def __post_init__(self) -> None:
        """Put the options' own settings after those of ``--set``."""
        extra = [f"device={text}" for text in self.devices] + [f"netdev={text}" for text in self.netdevs]
        seeds = [f"seed={self.seed}"] if self.seed is not None else []
        object.__setattr__(self, "all_settings", [*self.settings, *extra, *seeds])

    def load(self, name: str) -> Scenario:
        """The scenario with the options applied; raises InputError."""
        from ringscope_core.scenario.load import load

        return load(name, self.all_settings)


def scenario_options(function: F) -> F:
    """Give a verb the options; it gets them as one argument ``options``."""

    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the scenario, such as traffic.0.rate_pps=1000 or pcap=FILE.")
    @click.option("--device", "devices", multiple=True, metavar="OPTIONS", help="QEMU's -device options, instead of the scenario's.")
    @click.option("--netdev", "netdevs", multiple=True, metavar="OPTIONS", help="QEMU's -netdev options, instead of the scenario's.")
    @click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Instead of the scenario's seed.")
    @wraps(function)
    def with_options(*args: Any, settings: tuple[str, ...], devices: tuple[str, ...], netdevs: tuple[str, ...], seed: int | None, **rest: Any) -> Any:
        return function(*args, options=ScenarioOptions(settings, devices, netdevs, seed), **rest)

    return with_options  # type: ignore[return-value]
