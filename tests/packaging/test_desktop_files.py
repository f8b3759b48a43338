"""The desktop's view of Ringscope agrees with the application's own."""

from __future__ import annotations

import configparser
import re
import sqlite3
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import ringscope_resources
from ringscope_core import __version__
from ringscope_core.session.schema import APPLICATION_ID, SUFFIX

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
NAME = "org.ringscope.Ringscope"


def desktop_entry(name: str = NAME) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(PACKAGING / f"{name}.desktop")
    return parser["Desktop Entry"]


def test_magic_matches_a_real_database(tmp_path: Path) -> None:
    """The magic names offsets in SQLite's header: see that they hold for what SQLite writes."""
    file = tmp_path / f"x{SUFFIX}"
    database = sqlite3.connect(file)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute("CREATE TABLE t (x)")
    database.close()
    data = file.read_bytes()
    matches = re.findall(r'<match type="string" offset="(\d+)" value="([^"]+)"', (PACKAGING / f"{NAME}.mime.xml").read_text())
    assert len(matches) == 2
    for offset, value in matches:
        wanted = value.replace("\\000", "\0").encode()
        assert data[int(offset) : int(offset) + len(wanted)] == wanted


def test_glob_is_the_suffix() -> None:
    assert f'<glob pattern="*{SUFFIX}"/>' in (PACKAGING / f"{NAME}.mime.xml").read_text()


def test_mime_type_is_the_same_everywhere() -> None:
    (declared,) = re.findall(r'<mime-type type="([^"]+)"', (PACKAGING / f"{NAME}.mime.xml").read_text())
    metainfo = ElementTree.parse(PACKAGING / f"{NAME}.metainfo.xml").getroot()
    assert desktop_entry(f"{NAME}.Open")["MimeType"] == f"{declared};"
    assert metainfo.findtext("provides/mediatype") == declared


def test_metainfo_knows_this_version() -> None:
    metainfo = ElementTree.parse(PACKAGING / f"{NAME}.metainfo.xml").getroot()
    assert __version__ in [release.get("version") for release in metainfo.iter("release")]
    assert metainfo.findtext("id") == NAME == desktop_entry()["Icon"]


def test_every_icon_is_a_drawing_of_our_own_size_and_colour() -> None:
    icons = sorted((ringscope_resources.ROOT / "icons").glob("*.svg"))
    assert len(icons) > 30
    for icon in icons:
        root = ElementTree.parse(icon).getroot()
        assert len(root) > 0, icon.name
        if icon.stem != "ringscope":
            assert root.get("viewBox") == "0 0 24 24", icon.name
            assert "currentColor" in icon.read_text(), icon.name


def test_fonts_ship_with_their_licence() -> None:
    licence = (ringscope_resources.ROOT / "fonts" / "OFL.txt").read_text()
    fonts = ringscope_resources.fonts()
    assert fonts
    for font in fonts:
        assert font.name in licence
