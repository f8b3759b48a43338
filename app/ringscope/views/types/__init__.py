"""The QOM type hierarchy as a picture without crossings, and as a table."""

from ringscope.views.spec import ViewSpec
from ringscope.views.types.view import TypesView

VIEW = ViewSpec(name="types", title="Types", icon="types", area="center", make=TypesView, tip="QOM types: parents, interfaces, sizes, instances")
