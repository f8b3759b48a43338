"""The notebook: where one was, and what one thought there."""

from ringscope.views.notebook.view import NotebookView
from ringscope.views.spec import ViewSpec

VIEW = ViewSpec(name="notebook", title="Notebook", icon="note", area="right", make=NotebookView, tip="Moments that were noted, with words; exports as Markdown")
