"""Every event of the recording as a table: filtered, followed, and linked to its cause."""

from ringscope.views.events.view import EventsView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(name="events", title=later("Events"), icon="events", area="center", make=EventsView, tip=later("Everything that happened, in order"))
