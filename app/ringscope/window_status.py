"""The line below: state, size of the recording, what was lost, trace level, frames a second."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar

from ringscope.commands import Commands
from ringscope.core_words import heard
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.window_frames import FrameMeter
from ringscope.words import later, t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.session.keep import kept_words


class StatusLine(QStatusBar):
    """Refreshed a few times a second."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, meter: FrameMeter) -> None:
        super().__init__()
        self._store, self._focus, self._commands, self._meter = store, focus, commands, meter
        self.setSizeGripEnabled(False)
        self._labels = {
            name: QLabel()
            for name in (
                later("stop"),
                later("state"),
                later("events"),
                later("packets"),
                later("kept"),
                later("lost"),
                later("trace"),
                later("source"),
                later("frames"),
            )
        }
        for name, label in self._labels.items():
            label.setContentsMargins(6, 0, 10, 0)
            label.setAccessibleName(t(name))
            self.addPermanentWidget(label)
        # what passes, in the room that the rest leaves: the bar itself would draw it behind the labels
        self._message = QLabel()
        self._message.setAccessibleName(t("message"))
        self._message.setContentsMargins(10, 0, 6, 0)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.insertPermanentWidget(0, self._message, 1)
        self.messageChanged.connect(self._show_message)

    def _show_message(self, text: str) -> None:
        text = heard(text)
        self._message.setText(text)
        self._message.setToolTip(text)

    def refresh(self) -> None:
        """Say how things stand."""
        store, labels = self._store, self._labels
        reader = store.reader
        clock = format_clock(reader.last_vt)
        # a machine that ended grows no more: what is here is the whole recording
        # where it stands is told beside it
        place = t(" at {clock} s", clock=clock) if self._commands.stop is None else ""
        self._put("state", f"<b>{t(self._commands.state)}</b>{place}" if store.live else t("<b>recording</b> of {clock} s", clock=clock))
        self._show_stop()
        self._put("events", t("{n} events", n=format_count(reader.event_count)))
        gap = reader.let_go
        self._put("packets", t("{n} packets recorded", n=format_count(reader.packet_count - (gap.packets if gap is not None else 0))))
        kept = heard(kept_words(reader.keep_bytes, gap))
        labels["kept"].setToolTip(heard(kept_words(reader.keep_bytes, gap, whole=True)))
        labels["kept"].setVisible(bool(kept))
        self._put("kept", kept)
        events, packets = reader.dropped
        labels["lost"].setVisible(bool(events or packets))
        self._put("lost", t("<b>{events} events, {packets} packets not recorded</b>", events=format_count(events), packets=format_count(packets)))
        level = self._commands.trace_level
        labels["trace"].setVisible(bool(level))
        self._put("trace", t("trace level {level}", level=level))
        source = str(store.meta.get("source") or "session")
        self._put(
            "source",
            t("capture · frames only")
            if source == "capture"
            else t("{source} · profile {profile}", source=t(source), profile=store.meta.get("profile") or "4.1"),
        )
        # without a source that moves there is nothing to keep up with, and a figure's words must not depend on the machine
        labels["frames"].setVisible(self._meter.fps > 0 and store.live and self._commands.running)
        self._put("frames", t("{fps:.0f} frames/s of {cost_ms:.1f} ms", fps=self._meter.fps, cost_ms=self._meter.cost_ms))
        # a label that grew takes its room now: a picture taken before the next round of events would cut it
        if (layout := self.layout()) is not None:
            layout.activate()

    def _show_stop(self) -> None:
        """Why things stand still, where they do."""
        stop = self._commands.stop
        stands = stop is not None and self._commands.stands_at(self._focus.seq)
        self._labels["stop"].setVisible(stands)
        if stop is not None and stands:
            self._put(
                "stop",
                t(
                    "<b>stopped: {reason}</b> · event {seq} at {vt} s",
                    reason=escape(heard(stop.reason)),
                    seq=format_count(max(stop.seq, 0)),
                    vt=format_clock(stop.vt),
                ),
            )

    def _put(self, name: str, text: str) -> None:
        label = self._labels[name]
        if label.text() != text:
            label.setText(text)

    def text(self) -> str:
        """Everything it says, for tests."""
        return " ".join(label.text() for label in self._labels.values() if not label.isHidden())
