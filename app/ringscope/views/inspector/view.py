"""The inspector: a row of subjects, and the page of the one that was selected last."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.views.inspector import places
from ringscope.views.inspector.descriptor_page import DescriptorPage
from ringscope.views.inspector.event_page import EventPage
from ringscope.views.inspector.object_page import ObjectPage
from ringscope.views.inspector.packet_page import PacketPage
from ringscope.views.inspector.page import Page
from ringscope.views.inspector.type_page import TypePage
from ringscope.views.spec import View
from ringscope.widgets.spots import Spot
from ringscope.words import later, t

SUBJECTS = (("object", later("Object")), ("type", later("Type")), ("event", later("Event")), ("descriptor", later("Descriptor")), ("packet", later("Packet")))


class InspectorView(View):
    """Follows `Focus.subject`; a click on another subject stays until the next selection."""

    live_hz = 10.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self.pages: dict[str, Page] = {
            "object": ObjectPage(store, focus, commands),
            "type": TypePage(store, focus, commands),
            "event": EventPage(store, focus, commands),
            "descriptor": DescriptorPage(store, focus, commands),
            "packet": PacketPage(store, focus, commands),
        }
        self.stack = QStackedWidget()
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        strip = QFrame()
        strip.setObjectName("strip")
        row = QHBoxLayout(strip)
        row.setContentsMargins(2, 3, 2, 3)
        row.setSpacing(0)
        for name, title in SUBJECTS:
            button = QToolButton()
            button.setObjectName("subject")
            button.setText(t(title))
            button.setCheckable(True)
            button.setToolTip(t("What the inspector knows of the {subject} in focus", subject=t(title)))
            button.clicked.connect(lambda _=False, name=name: self.show_page(name))
            self._group.addButton(button)
            self.buttons[name] = button
            row.addWidget(button)
            self.stack.addWidget(self.pages[name])
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(strip)
        layout.addWidget(self.stack, 1)
        focus.changed.connect(self._focus_changed)
        self.show_page(focus.subject if focus.subject in self.pages else "event")

    @property
    def page(self) -> Page:
        """The page in front."""
        page = self.stack.currentWidget()
        assert isinstance(page, Page)
        return page

    def show_page(self, name: str) -> None:
        """Bring the page of a subject to the front."""
        self.buttons[name].setChecked(True)
        self.stack.setCurrentWidget(self.pages[name])
        self.pages[name].refresh()

    def _focus_changed(self, what: object) -> None:
        if isinstance(what, frozenset) and what & {"oid", "head", "packet", "type_name", "subject", "field"}:
            name = self.focus.subject
            if name in self.pages and self.pages[name] is not self.page:
                self.show_page(name)

    def refresh(self) -> None:
        """The page in front."""
        self.page.refresh()

    def theme_changed(self, theme: Theme) -> None:
        """All pages in the new colours."""
        for page in self.pages.values():
            page.set_theme(theme)

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {"title": self.page.title, "page": self.page}

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """The page in front as text."""
        return self.page.text()
