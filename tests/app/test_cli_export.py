"""The verbs export and import, as a person calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session
from tests.app.verbs import Verb


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A small recording: 12 frames each way."""
    return make_session(tmp_path / "s.ringscope", turns=12)


def test_export_says_what_it_wrote(verb: Verb, session: Path, tmp_path: Path) -> None:
    """The format follows from the name; the line names rows and bytes."""
    code, out, err = verb("export", session, "-o", tmp_path / "f.pcapng")
    size = (tmp_path / "f.pcapng").stat().st_size
    assert (code, out, err) == (0, f"{tmp_path}/f.pcapng: 24 packets, {size} bytes\n", "")
    code, out, _ = verb("export", session, "--to", "jsonl", "-o", tmp_path / "x", "--what", "packets,marks", "--what", "counters")
    assert code == 0 and "24 packets, 1 marks" in out


def test_filters_join(verb: Verb, session: Path, tmp_path: Path) -> None:
    """Several filters are all to hold."""
    code, out, _ = verb("export", session, "-o", tmp_path / "f.csv", "--filter", "kind == kick or kind == msi", "--filter", "obj == tx0", "--from", "start")
    assert (code, out.split(":")[1].split(",")[0].strip()) == (0, "12 events")


def test_remarks_go_to_stderr(verb: Verb, session: Path, tmp_path: Path) -> None:
    """What is worth knowing does not mix with the answer."""
    code, out, err = verb("export", session, "-o", tmp_path / "f.pcapng", "--vnet-hdr", "comment")
    assert code == 0 and len(out.splitlines()) == 1
    assert "does not have the virtio_net_hdr" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-o", "{}/out.xyz"), "say --to"),
        (("-o", "{}/s.ringscope", "--to", "csv"), "--force"),
        (("-o", "{}/o.csv", "--filter", "nothing == 1"), "no field"),
        (("-o", "{}/o.csv", "--until", "mark:none"), "half way"),
        (("-o", "{}/o.pcapng", "--vnet-hdr", "both"), "none, link, comment"),
        (
            (
                "-o",
                "{}/no/o.csv",
            ),
            "folder that exists",
        ),
        ((), "Missing option '-o'"),
    ],
)
def test_wrong_exports(verb: Verb, session: Path, tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    """One line on stderr, exit 2, nothing written."""
    before = sorted(tmp_path.iterdir())
    code, out, err = verb("export", session, *(arg.format(tmp_path) for arg in args))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert words in err
    assert sorted(tmp_path.iterdir()) == before


def test_import(verb: Verb, session: Path, tmp_path: Path) -> None:
    """A capture becomes a session; a second time it is not replaced unasked."""
    verb("export", session, "-o", tmp_path / "f.pcapng")
    code, out, err = verb("import", tmp_path / "f.pcapng", "-o", tmp_path / "i.ringscope")
    assert (code, err) == (0, "") and out.startswith(f"{tmp_path}/i.ringscope: 24 packets, ")
    with SessionReader(tmp_path / "i.ringscope") as reader:
        assert reader.packet_count == 24
    code, _, err = verb("import", tmp_path / "f.pcapng", "-o", tmp_path / "i.ringscope")
    assert code == 2 and "--force" in err
    assert verb("import", tmp_path / "f.pcapng", "-o", tmp_path / "i.ringscope", "--force")[0] == 0
    code, _, err = verb("import", session, "-o", tmp_path / "j.ringscope")
    assert code == 2 and "open it as it is" in err
