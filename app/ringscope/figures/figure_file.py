"""A file of figures: TOML with ``[defaults]`` and one ``[[figure]]`` table for each, in the words of the command line.

Everything is checked before anything is drawn, and what is wrong is named with its line.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ringscope.figures.figure_lines import Lines
from ringscope.figures.parse import one_of
from ringscope.figures.request import Words, picture_of, spec_of
from ringscope.figures.shots import Film, parse_every, parse_fps, parse_speed
from ringscope.figures.spec import ANIMATIONS, DEFAULT_FPS, PICTURES, TEXTS, FigureSpec, TextSpec
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.shipped import SHIPPED

_TEXT: Final = ("source", "view", "focus", "at", "layout", "crop", "filter")
_CHOICES: Final = ("theme", "lang")
"""One or several: a figure is drawn for each."""
_SETTINGS: Final = ("set", "device", "netdev", "seed")
_MOVING: Final = ("from", "to", "fps", "speed", "every", "once")
"""Words of animations."""
_OWN: Final = ("name", "output", "text", "callout")
"""Words that say something of one figure alone."""
_SHARED: Final = (*_TEXT, "size", "scale", *_CHOICES, *_SETTINGS, *_MOVING, "folder")
FIGURE_KEYS: Final = (*_OWN, *(key for key in _SHARED if key != "folder"))
DEFAULT_KEYS: Final = _SHARED
_PICTURE_ONLY: Final = ("layout", "size", "scale", "theme", "crop")
"""Defaults that do not concern texts."""
MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One file that is to be drawn."""

    name: str
    output: Path
    spec: FigureSpec | TextSpec
    settings: tuple[str, ...]
    where: str
    """The line that asks for it, as ``figures.toml:12``."""
    film: Film | None = None
    """The stretch of an animation; None for what stands still."""

    @property
    def suffix(self) -> str:
        """The file's type."""
        return self.output.suffix.lower()


def read_figures(path: Path) -> list[Job]:
    """Every figure of a file, checked; raises InputError, whose field begins with ``FILE:LINE``."""
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise InputError("file", str(path), f"a TOML file ({problem})") from None
    lines = Lines(path, text)
    for key in data:
        if key not in ("defaults", "figure"):
            raise InputError(
                f"{lines.where(-2, key)}: {key}", data[key] if not isinstance(data[key], dict | list) else key, one_of(("defaults", "figure"), key)
            )
    defaults = _table(data.get("defaults", {}), f"{lines.where(-1)}: defaults")
    for key in defaults:
        if key not in DEFAULT_KEYS:
            raise InputError(f"{lines.where(-1, key)}: defaults", key, one_of(DEFAULT_KEYS, key))
    figures = data.get("figure", [])
    if not isinstance(figures, list) or not figures:
        raise InputError("file", str(path), "a file with at least one [[figure]] table")
    jobs: list[Job] = []
    for number, figure in enumerate(figures):
        jobs.extend(_Figure(path, lines, number, defaults, _table(figure, f"{lines.where(number)}: figure {number + 1}")).jobs())
    _check_apart(jobs)
    return jobs


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError("file", str(path), f"at most {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise InputError("file", str(path), f"a file of figures that can be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise InputError("file", str(path), "text in UTF-8") from None


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(where, value, "a table")
    return value


def _check_apart(jobs: list[Job]) -> None:
    """No two figures write one file or have one name."""
    seen: dict[str, Job] = {}
    for job in jobs:
        for what, key in (("output", str(job.output)), ("name", f"name {job.name} {job.suffix}")):
            if key in seen:
                said = str(job.output.name) if what == "output" else job.name
                raise InputError(f"{job.where}: {what}", said, f"different from that of {seen[key].where}; {{theme}} and {{lang}} tell variants apart")
            seen[key] = job


class _Figure:
    """One ``[[figure]]`` table."""

    def __init__(self, path: Path, lines: Lines, number: int, defaults: dict[str, Any], table: dict[str, Any]) -> None:
        self._folder: Path = path.parent
        self._lines: Lines = lines
        self._number: int = number
        self._defaults: dict[str, Any] = defaults
        self._own: dict[str, Any] = table
        for key in table:
            if key not in FIGURE_KEYS:
                raise InputError(self._field(key), key, one_of(FIGURE_KEYS, key))

    def _field(self, key: str) -> str:
        """How an error names `key` of this figure."""
        from_defaults = key not in self._own and key in self._defaults
        where = self._lines.where(-1 if from_defaults else self._number, key)
        name = self._own.get("name") or self._own.get("output")
        title = f"figure {self._number + 1}" + (f" ({name})" if isinstance(name, str) else "")
        return f"{where}: {'defaults' if from_defaults else title}: {key}"

    def _get(self, key: str) -> Any:
        return self._own[key] if key in self._own else self._defaults.get(key)

    # -- values of their types ----------------------------------------------------------------------------------------
    def _text(self, key: str) -> str:
        value = self._get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise InputError(self._field(key), value, "a text")
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of them."""
        value = self._get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InputError(self._field(key), value, "a text or a list of texts")
        return tuple(value)

    def _number_of(self, key: str) -> str:
        value = self._get(key)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InputError(self._field(key), value, "a number")
        return str(value)

    def _size(self) -> str:
        value = self._get("size")
        if isinstance(value, list) and len(value) == 2 and all(isinstance(one, int) and not isinstance(one, bool) for one in value):
            return f"{value[0]}x{value[1]}"
        if value is not None and not isinstance(value, str):
            raise InputError(self._field("size"), value, '"WIDTHxHEIGHT" or [WIDTH, HEIGHT]')
        return value or ""

    def _settings(self) -> tuple[str, ...]:
        found = [*self._texts("set")]
        found += [f"{key}={text}" for key in ("device", "netdev") for text in self._texts(key)]
        seed = self._get("seed")
        if seed is not None:
            if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
                raise InputError(self._field("seed"), seed, "a whole number from 0")
            found.append(f"seed={seed}")
        return tuple(found)

    # -- jobs ---------------------------------------------------------------------------------------------------------
    def jobs(self) -> list[Job]:
        """A file for each output, theme and language."""
        outputs = self._texts("output")
        if not outputs:
            raise InputError(self._field("output"), "", f"the file to write, ending in {', '.join((*PICTURES, *TEXTS, *ANIMATIONS))}")
        found: list[Job] = []
        for output in outputs:
            suffix = Path(output).suffix.lower()
            if suffix not in (*PICTURES, *TEXTS, *ANIMATIONS):
                raise InputError(self._field("output"), output, f"a file name ending in {' or '.join((*PICTURES, *TEXTS, *ANIMATIONS))}")
            themes = self._texts("theme") if suffix not in TEXTS or "theme" in self._own else ()
            for theme in themes or ("",):
                for lang in self._texts("lang") or ("",):
                    found.append(self._job(output, suffix, theme, lang))
        return found

    def _job(self, output: str, suffix: str, theme: str, lang: str) -> Job:
        path = self._folder / self._text("folder") / self._filled("output", output, theme, lang)
        name = self._filled("name", self._text("name"), theme, lang) or path.stem
        if path.exists() and path.is_dir():
            raise InputError(self._field("output"), output, "a file, not a folder")
        words = self._words(suffix, theme, lang)
        film = self._film(suffix)
        try:
            spec = picture_of(words, suffix) if film is not None else spec_of(words, suffix)
        except InputError as error:
            raise InputError(self._field(error.field), error.value, error.allowed) from None
        return Job(name, path, spec, self._settings(), self._lines.where(self._number), film)

    def _filled(self, key: str, text: str, theme: str, lang: str) -> str:
        """`text` with ``{theme}`` and ``{lang}`` put in."""
        wrong = [word for word in re.findall(r"\{([^}]*)\}", text) if word not in _CHOICES]
        if wrong:
            raise InputError(self._field(key), text, f"{{theme}} and {{lang}} in braces, nothing else: {wrong[0]!r} is not known")
        return text.replace("{theme}", theme or "light").replace("{lang}", lang or "en")

    def _words(self, suffix: str, theme: str, lang: str) -> Words:
        source = self._text("source")
        if not source:
            raise InputError(self._field("source"), "", "a scenario or a session, here or in [defaults]")
        words = Words(
            self._placed(source) if source not in SHIPPED else source,
            view=self._text("view"),
            focus=self._text("focus"),
            at=self._text("at"),
            layout=self._placed(self._text("layout")),
            size=self._size(),
            scale=self._number_of("scale"),
            theme=theme,
            lang=lang,
            callouts=self._texts("callout"),
            crop=self._text("crop"),
            filter=self._text("filter"),
            texts=_commands(self._texts("text")),
        )
        # what is said for all pictures does not concern texts, and a layout only the window
        if suffix in TEXTS:
            unsaid: dict[str, Any] = {key: "" for key in _PICTURE_ONLY if key not in self._own}
            words = replace(words, **unsaid)
            if words.texts and "view" not in self._own:
                words = replace(words, view="")
        elif words.view != "window" and "layout" not in self._own:
            words = replace(words, layout="")
        return words

    def _placed(self, path: str) -> str:
        """A path as seen from the file's folder."""
        return str(self._folder / path) if path else ""

    def _film(self, suffix: str) -> Film | None:
        given = [key for key in _MOVING if key in self._own]
        if suffix not in ANIMATIONS:
            if given:
                raise InputError(self._field(given[0]), self._get(given[0]), f"given with an animation only ({' or '.join(ANIMATIONS)})")
            return None
        once = self._get("once")
        if once is not None and not isinstance(once, bool):
            raise InputError(self._field("once"), once, "true or false")
        fps, speed = self._number_of("fps") or str(DEFAULT_FPS), self._number_of("speed")
        try:
            rate, factor, every = parse_fps(fps, suffix), parse_speed(speed) if speed else None, parse_every(self._text("every"))
        except InputError as error:
            raise InputError(self._field(error.field), error.value, error.allowed) from None
        return Film(self._text("from") or "start", self._text("to") or "end", rate, factor, every, bool(once))


def _commands(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Commands, also from a text of several lines."""
    return tuple(line.strip() for text in texts for line in text.splitlines() if line.strip())
