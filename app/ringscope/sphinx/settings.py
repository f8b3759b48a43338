"""The extension's values in ``conf.py``, checked when Sphinx has read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sphinx.errors import ConfigError

from ringscope.figures import parse
from ringscope.figures.spec import FIGURE_THEMES
from ringscope_core.qom.profile import PROFILES
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

AUTO: Final = "auto"
"""The theme that is light and dark in HTML, as the page is, and ``print`` in PDF."""
THEMES: Final = (AUTO, *FIGURE_THEMES)
FORMATS: Final = ("svg", "png")


@dataclass(frozen=True, slots=True)
class Settings:
    """The values, checked."""

    figure_format: str
    figure_theme: str
    figure_size: tuple[int, int]
    """Logical pixels."""
    figure_scale: float
    """Pixels of a PNG for each logical one."""
    lang: str
    cache: str
    """Folder of what was made, relative to ``conf.py``; empty: beside the doctrees."""
    sessions: str
    """Folder in which sessions and scenario files are looked for as well, relative to the source folder; empty: none."""
    qemu_url: str
    profile: str


def register(app: Sphinx) -> None:
    """Declare the values; a change of one that shows on pages reads them again."""
    text = frozenset({str})
    app.add_config_value("ringscope_figure_format", "svg", "env", text, "svg or png: what HTML pages get; PDF always gets vectors")
    app.add_config_value("ringscope_figure_theme", AUTO, "env", text, "auto, light, dark or print")
    app.add_config_value("ringscope_figure_size", "1200x750", "env", text, "WIDTHxHEIGHT in logical pixels")
    # a text, for Sphinx takes no other number than whole ones from its command line
    app.add_config_value("ringscope_figure_scale", "2", "env", frozenset({str, float, int}), "pixels of a PNG for each logical one")
    app.add_config_value("ringscope_cache", "", "", text, "folder of what was drawn and recorded; empty: beside the doctrees")
    app.add_config_value("ringscope_sessions", "", "env", text, "folder in which sessions and scenario files are looked for as well")
    app.add_config_value("ringscope_qemu_url", "", "env", text, "address of a line of QEMU's source, with {version}, {file} and {line}")
    app.add_config_value("ringscope_profile", "4.1", "env", text, "4.1 or 7.2: the QEMU whose types and functions are meant")
    app.connect("config-inited", check_config)


def check_config(app: Sphinx, config: Config) -> None:
    """Refuse values that cannot be, before anything is read."""
    settings_of(config)


def settings_of(config: Config) -> Settings:
    """The values of `config`; raises ConfigError, which names value and what is allowed."""
    size = str(config.ringscope_figure_size)
    try:
        return Settings(
            parse.parse_choice("ringscope_figure_format", str(config.ringscope_figure_format), FORMATS),
            parse.parse_choice("ringscope_figure_theme", str(config.ringscope_figure_theme), THEMES),
            parse.parse_size(size),
            parse.parse_scale(str(config.ringscope_figure_scale)),
            "zh" if str(config.language or "").lower().startswith("zh") else "en",
            str(config.ringscope_cache),
            _folder(str(config.ringscope_sessions)),
            _address(str(config.ringscope_qemu_url)),
            parse.parse_choice("ringscope_profile", str(config.ringscope_profile), PROFILES),
        )
    except InputError as error:
        field = error.field if error.field.startswith("ringscope_") else f"ringscope_figure_{error.field}"
        raise ConfigError(f"conf.py: {InputError(field, error.value, error.allowed)}") from None


def _folder(value: str) -> str:
    if value.endswith((".ringscope", ".toml")):
        raise InputError("ringscope_sessions", value, "a folder, not a file")
    return value


def _address(value: str) -> str:
    if value:
        try:
            value.format(version="4.1.0", file="vl.c", line=1)
        except (KeyError, IndexError, ValueError):
            raise InputError("ringscope_qemu_url", value, "an address with {version}, {file} and {line} in it, and no other braces") from None
    return value


def cache_folder(settings: Settings, confdir: Path, outdir: Path, doctreedir: Path) -> Path:
    """Where what was made is kept: outside of the output, so that it outlives it and every builder finds it."""
    if settings.cache:
        return confdir / settings.cache
    beside = doctreedir.parent / "ringscope"
    return outdir.parent / ".ringscope-cache" if beside.is_relative_to(outdir) else beside
