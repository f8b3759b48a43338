"""The time panel: events as tracks of density, marks, and the cursor that every view follows."""

from ringscope.views.spec import ViewSpec
from ringscope.views.timeline.view import TimelineView
from ringscope.words import later

VIEW = ViewSpec(name="timeline", title=later("Time"), icon="time", area="bottom", make=TimelineView, tip=later("Events over time; drag to go to a moment"))
