"""The objects that live at the moment: the composition tree, and the buses as `info qtree` lists them."""

from ringscope.views.objects.view import ObjectsView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(name="objects", title=later("Objects"), icon="objects", area="left", make=ObjectsView, tip=later("The composition tree and the bus tree"))
