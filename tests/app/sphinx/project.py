"""Small documentation projects, built in this process as ``sphinx-build`` builds them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

locale = pytest.importorskip("sphinx.locale", reason="Sphinx is not installed (extra sphinx)")
sphinx_build = pytest.importorskip("sphinx.cmd.build", reason="Sphinx is not installed (extra sphinx)")

SMALL = """
project = "Small"
extensions = ["ringscope.sphinx"]
exclude_patterns = ["out"]
numfig = True
ringscope_figure_size = "400x300"
"""
"""A ``conf.py`` with figures that are quickly drawn."""


def _plain(text: str) -> str:
    """Without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class Built:
    """What one run of ``sphinx-build`` said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = _plain(out)
        self.err = _plain(err)
        self.problems = [line for line in self.err.splitlines() if re.search(r"WARNING|ERROR|rror:|Traceback", line)]

    @property
    def drawn(self) -> tuple[int, int]:
        """Figures drawn and reused, as the last line says."""
        found = re.search(r"ringscope: (\d+) figures drawn, (\d+) reused", self.out)
        assert found is not None, self.out
        return int(found[1]), int(found[2])


class Project:
    """A source folder."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], conf: str = SMALL, **pages: str) -> None:
        """`pages` are the contents of ``<name>.rst``."""
        self.folder = folder
        self._capture = capture
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "conf.py").write_text(conf)
        for name, text in pages.items():
            self.write(f"{name}.rst", text)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def build(self, builder: str = "html", *options: str) -> Built:
        """Build into ``out/<builder>``; doctrees are shared."""
        self._capture.readouterr()
        # Sphinx keeps the words of the language before, which one build a process never sees
        locale.translators.clear()
        args = ["-b", builder, "-d", str(self.folder / "out" / "doctrees"), *options, str(self.folder), str(self.out(builder))]
        code = sphinx_build.build_main(args)
        return Built(code, *self._capture.readouterr())

    def out(self, builder: str = "html", name: str = "") -> Path:
        """A file of the output."""
        return self.folder / "out" / builder / name

    def page(self, name: str = "index.html", builder: str = "html") -> str:
        """The text of a page."""
        return self.out(builder, name).read_text()
