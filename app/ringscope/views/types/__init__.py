"""The QOM type hierarchy as a picture without crossings, and as a table."""

from ringscope.views.spec import ViewSpec
from ringscope.views.types.view import TypesView
from ringscope.words import later

VIEW = ViewSpec(name="types", title=later("Types"), icon="types", area="center", make=TypesView, tip=later("QOM types: parents, interfaces, sizes, instances"))
