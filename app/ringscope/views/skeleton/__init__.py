"""A view to copy.  Three steps: copy this folder to ``views/<name>``, change the line below, add the name to ``views/__init__.py``."""

from ringscope.views.skeleton.view import SkeletonView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(
    name="skeleton", title=later("Skeleton"), icon="skeleton", area="center", make=SkeletonView, tip=later("How many events of each kind there are")
)
