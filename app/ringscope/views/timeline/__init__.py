"""The time panel: events as tracks of density, marks, and the cursor that every view follows."""

from ringscope.views.spec import ViewSpec
from ringscope.views.timeline.view import TimelineView

VIEW = ViewSpec(name="timeline", title="Time", icon="time", area="bottom", make=TimelineView, tip="Events over time; drag to go to a moment")
