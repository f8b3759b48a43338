"""The inspector: the same tabs for every object, type, event, descriptor and packet."""

from ringscope.views.inspector.view import InspectorView
from ringscope.views.spec import ViewSpec

VIEW = ViewSpec(name="inspector", title="Inspector", icon="inspector", area="right", make=InspectorView, tip="Everything about what is in focus")
