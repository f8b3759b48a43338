"""The QOM types as a tree of text: the table twin of the Types picture, always at hand."""

from ringscope.views.spec import ViewSpec
from ringscope.views.typetree.view import TypeTreeView
from ringscope.words import later

VIEW = ViewSpec(name="typetree", title=later("Type tree"), icon="types", area="left", make=TypeTreeView, tip=later("QOM types as a tree"))
