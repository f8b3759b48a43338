"""Every event of the recording as a table: filtered, followed, and linked to its cause."""

from ringscope.views.events.view import EventsView
from ringscope.views.spec import ViewSpec

VIEW = ViewSpec(name="events", title="Events", icon="events", area="center", make=EventsView, tip="Everything that happened, in order")
