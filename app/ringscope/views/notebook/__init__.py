"""The notebook: where one was, and what one thought there."""

from ringscope.views.notebook.view import NotebookView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(
    name="notebook",
    title=later("Notebook"),
    icon="note",
    area="right",
    make=NotebookView,
    tip=later("Moments that were noted, with words; exports as Markdown"),
)
