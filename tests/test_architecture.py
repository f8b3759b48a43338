"""ARCHITECTURE.md, the import contracts and the build list against the tree: none of them may fall behind."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from tools.core_build import package_data, package_dirs
from tools.core_sources import COMPILED_PACKAGES, NOT_COMPILED, compiled_sources, core_digest

ROOT = Path(__file__).resolve().parent.parent
BASES = {"ringscope_core": ROOT / "core", "ringscope": ROOT / "app"}


def table_names() -> set[str]:
    """Dotted names in the first column of the table of packages."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\|\s*(`ringscope[^|]*)\|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(ringscope[\w.]*)(?:\.<name>)?`", row)}


def packages_in_tree() -> set[str]:
    """The packages one level below each import root, of those that hold any Python file."""
    return {
        f"{top}.{folder.name}"
        for top, base in BASES.items()
        for folder in (base / top).iterdir()
        if folder.is_dir() and folder.name != "__pycache__" and any(folder.rglob("*.py"))
    }


def exists(name: str) -> bool:
    """Is there a package or module of this name in the tree?"""
    path = BASES[name.split(".")[0]].joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_every_package_has_its_row() -> None:
    assert packages_in_tree() - table_names() == set()


def test_every_row_has_its_package() -> None:
    names = table_names()
    assert len(names) > 15
    assert [name for name in sorted(names) if not exists(name)] == []


def test_architecture_names_the_compiled_packages() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text().split("## Compiled and not")[1].split("\n## ")[0]
    sentence = text.split("Not compiled")[0]
    assert set(COMPILED_PACKAGES) <= set(re.findall(r"`(\w+)`", sentence))
    for name in NOT_COMPILED:
        assert f"`{name.removesuffix('.py').replace('/', '.')}`" in sentence, name


def test_exceptions_from_compiling_exist() -> None:
    assert [name for name in NOT_COMPILED if not (ROOT / "core" / "ringscope_core" / name).is_file()] == []


def test_every_view_is_in_the_contract_that_keeps_views_apart() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (listed,) = [set(contract["modules"]) for contract in contracts if contract["id"] == "views-independent"]
    folders = {f"ringscope.views.{file.parent.name}" for file in (ROOT / "app" / "ringscope" / "views").glob("*/__init__.py")}
    assert listed == folders


def test_wheel_takes_every_package_and_resource() -> None:
    packages = package_dirs(ROOT)
    assert packages["ringscope_resources"] == "resources"
    for top, base in BASES.items():
        for path in (base / top).rglob("*.py"):
            assert ".".join(path.parent.relative_to(base).parts) in packages
    data = package_data(ROOT)["ringscope_resources"]
    assert "icons/ringscope.svg" in data
    assert "fonts/OFL.txt" in data
    assert not [name for name in data if "__pycache__" in name or name.endswith(".so")]


def test_digest_follows_sources_and_requirements() -> None:
    digest = core_digest(ROOT, ["mypy==1"])
    assert digest == core_digest(ROOT, ["mypy==1"])
    assert digest != core_digest(ROOT, ["mypy==2"])


@pytest.mark.skipif(os.environ.get("RINGSCOPE_EXPECT_COMPILED") != "1", reason="only `make test` promises a compiled core")
def test_the_core_is_compiled() -> None:
    """Without this the suite could pass on sources alone and call itself compiled."""
    import importlib

    for path in compiled_sources(ROOT):
        name = ".".join(path.relative_to(ROOT / "core").with_suffix("").parts)
        file = importlib.import_module(name).__file__
        assert file is not None and file.endswith(".so"), name


@pytest.mark.skipif(os.environ.get("RINGSCOPE_PURE", "0") in ("", "0"), reason="only for the uncompiled pass")
def test_pure_means_sources() -> None:
    from ringscope_core.trace import log

    assert log.__file__.endswith(".py")
