"""Alternative texts: what a picture shows, from the recording, in both languages, without Qt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringscope.figures.alt import alt_text
from ringscope.figures.alt_rates import rates
from ringscope.figures.parse import VIEW_NAMES
from ringscope.figures.spec import FigureSpec
from ringscope.words import language
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from tests.app.figures.refusals import refusal


def said(ping: SessionReader, view: str, **changes: str) -> str:
    return alt_text(FigureSpec("ping", view, **changes), ping)


@pytest.mark.parametrize("view", VIEW_NAMES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_view_has_one_to_three_sentences(ping: SessionReader, view: str, lang: str) -> None:
    """With view, scenario, time and event; the language that was in use stays in use."""
    text = said(ping, view, lang=lang, at="seq:3000")
    assert "ping" in text and "3000" in text and "0.100151" in text and "{" not in text and "\n" not in text
    assert 1 <= (text.count(". ") + text.endswith(".") if lang == "en" or text.endswith(".") else text.count("\N{IDEOGRAPHIC FULL STOP}")) <= 3
    assert language() == "en"


def test_chinese_sentences_stand_close(ping: SessionReader) -> None:
    """Full stops of its own, no space behind them, and one around a Latin word."""
    text = said(ping, "realize", lang="zh", at="break:virtio_add_queue")
    assert text.startswith("Realize \u89c6\u56fe\uff1a\u573a\u666f ping\uff0c") and "\u3002 " not in text and text.endswith("main\u3002")


def test_rings_tells_the_numbers(ping: SessionReader) -> None:
    """Those that the recording's own table has."""
    text = said(ping, "rings", focus="net0.tx0", at="1ms")
    assert text.startswith("The Rings view of scenario ping at 0.000661 s of virtual time, event 2998. ")
    assert text.endswith("avail.idx is 2, last_avail_idx 2, used.idx 2, last_used_idx 2.")
    assert "Queue tx0, a split ring of 256 descriptors: 0 available, 0 in flight, 0 used, 256 free." in text
    assert said(ping, "rings", at="seq:50").endswith("There is no queue at this moment.")


def test_realize_names_the_innermost_calls(ping: SessionReader) -> None:
    text = said(ping, "realize", at="break:virtio_add_queue")
    assert ", in virtio_add_queue. 22 calls are open, the innermost first: virtio_add_queue, virtio_net_add_queue, virtio_net_device_realize, " in text
    assert text.endswith(", and so on out to main.")
    assert said(ping, "realize", at="end").endswith("No call is open at this moment.")


def test_throughput_has_both_directions(ping: SessionReader) -> None:
    """Ten pings of 98 bytes a second."""
    text = said(ping, "throughput", at="end")
    assert "Sending: 10 pps, 7.84 kbit/s; receiving: 10 pps, 7.84 kbit/s; averages over the last 100 ms." in text
    recording = Recording(ping)
    found = rates(recording, ping.last_vt)
    assert found is not None and found.tx == (1, 98) and found.rx == (1, 98)
    assert rates(recording, -1) is None
    assert said(ping, "throughput", at="start").endswith("No counters were sampled up to this moment.")


def test_types_objects_events(ping: SessionReader) -> None:
    assert said(ping, "types").endswith(f"{len(ping.types)} QOM types below interface, object.")
    assert "in focus virtio-device, whose parents are device, object, with 1 types below it." in said(ping, "types", focus="virtio-device")
    assert "in focus /machine/peripheral/net0/virtio-backend of type virtio-net-device." in said(ping, "objects", focus="net0/virtio-backend")
    assert f"The recording holds {ping.last_seq + 1} events, 0 to {ping.last_seq}." in said(ping, "events", at="seq:2882")
    assert said(ping, "events", at="seq:2882", filter="kind == kick").startswith("The Events view")
    assert "that the filter kind == kick takes" in said(ping, "events", at="seq:2882", filter="kind == kick")
    assert "Packet 2, 60 bytes." in said(ping, "inspector", focus="packet:2")


def test_a_moment_that_is_not_there(ping: SessionReader) -> None:
    assert "noon" in refusal("at", lambda: said(ping, "rings", at="noon"))


def test_it_needs_no_qt(ping_file: Path) -> None:
    """A document is built without a picture where only its text is wanted."""
    program = (
        "import sys\nfrom ringscope.figures.alt import alt_text\nfrom ringscope.figures.spec import FigureSpec\n"
        "from ringscope_core.session.reader import SessionReader\n"
        f"print(alt_text(FigureSpec('ping', 'rings'), SessionReader({str(ping_file)!r})))\nprint('PySide6' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("The Rings view of scenario ping") and done.stdout.endswith("False\n")
