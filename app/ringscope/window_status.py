"""The line below: state, size of the recording, what was lost, trace level, frames a second."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.window_frames import FrameMeter
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.session.keep import kept_words


class StatusLine(QStatusBar):
    """Refreshed a few times a second."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, meter: FrameMeter) -> None:
        super().__init__()
        self._store, self._focus, self._commands, self._meter = store, focus, commands, meter
        self.setSizeGripEnabled(False)
        self._labels = {name: QLabel() for name in ("stop", "state", "events", "packets", "kept", "lost", "trace", "source", "frames")}
        for name, label in self._labels.items():
            label.setContentsMargins(6, 0, 10, 0)
            label.setAccessibleName(name)
            self.addPermanentWidget(label)
        # what passes, in the room that the rest leaves: the bar itself would draw it behind the labels
        self._message = QLabel()
        self._message.setAccessibleName("message")
        self._message.setContentsMargins(10, 0, 6, 0)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.insertPermanentWidget(0, self._message, 1)
        self.messageChanged.connect(self._show_message)

    def _show_message(self, text: str) -> None:
        self._message.setText(text)
        self._message.setToolTip(text)

    def refresh(self) -> None:
        """Say how things stand."""
        store, labels = self._store, self._labels
        reader = store.reader
        clock = format_clock(reader.last_vt)
        # a machine that ended grows no more: what is here is the whole recording
        # where it stands is told beside it
        place = f" at {clock} s" if self._commands.stop is None else ""
        self._put("state", f"<b>{self._commands.state}</b>{place}" if store.live else f"<b>recording</b> of {clock} s")
        self._show_stop()
        self._put("events", f"{format_count(reader.event_count)} events")
        gap = reader.let_go
        self._put("packets", f"{format_count(reader.packet_count - (gap.packets if gap is not None else 0))} packets recorded")
        kept = kept_words(reader.keep_bytes, gap)
        labels["kept"].setToolTip(kept_words(reader.keep_bytes, gap, whole=True))
        labels["kept"].setVisible(bool(kept))
        self._put("kept", kept)
        events, packets = reader.dropped
        labels["lost"].setVisible(bool(events or packets))
        self._put("lost", f"<b>{format_count(events)} events, {format_count(packets)} packets not recorded</b>")
        level = self._commands.trace_level
        labels["trace"].setVisible(bool(level))
        self._put("trace", f"trace level {level}")
        source = str(store.meta.get("source") or "session")
        self._put("source", "capture · frames only" if source == "capture" else f"{source} · profile {store.meta.get('profile') or '4.1'}")
        # without a source that moves there is nothing to keep up with, and a figure's words must not depend on the machine
        labels["frames"].setVisible(self._meter.fps > 0 and store.live and self._commands.running)
        self._put("frames", f"{self._meter.fps:.0f} frames/s of {self._meter.cost_ms:.1f} ms")
        # a label that grew takes its room now: a picture taken before the next round of events would cut it
        if (layout := self.layout()) is not None:
            layout.activate()

    def _show_stop(self) -> None:
        """Why things stand still, where they do."""
        stop = self._commands.stop
        stands = stop is not None and self._commands.stands_at(self._focus.seq)
        self._labels["stop"].setVisible(stands)
        if stop is not None and stands:
            self._put("stop", f"<b>stopped: {escape(stop.reason)}</b> \N{MIDDLE DOT} event {format_count(max(stop.seq, 0))} at {format_clock(stop.vt)} s")

    def _put(self, name: str, text: str) -> None:
        label = self._labels[name]
        if label.text() != text:
            label.setText(text)

    def text(self) -> str:
        """Everything it says, for tests."""
        return " ".join(label.text() for label in self._labels.values() if not label.isHidden())
