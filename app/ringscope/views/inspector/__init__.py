"""The inspector: the same tabs for every object, type, event, descriptor and packet."""

from ringscope.views.inspector.view import InspectorView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(name="inspector", title=later("Inspector"), icon="inspector", area="right", make=InspectorView, tip=later("Everything about what is in focus"))
