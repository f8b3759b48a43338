"""Files of static facts (types, properties, option errors, trees, configuration space): each has a module that knows its form."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, cast

import ringscope_core.conform as package
from ringscope_core.conform.outcome import Difference, Outcome
from ringscope_core.scenario.errors import InputError

PREFIX: Final = "static_"
_WRONG_KIND: Final = (TypeError, KeyError, AttributeError, ValueError, IndexError)
"""What reading a document raises where it holds something of another kind than the form says."""


class StaticForm(Protocol):
    """A module ``static_<what>``."""

    def recognize(self, data: Any) -> bool:
        """Whether a document has the form."""

    def cases(self, data: Any) -> list[str]:
        """Names of what can be compared, one by one."""

    def run(self, data: Any, case_id: str, profile: str) -> Outcome:
        """Compare one."""


@cache
def static_forms() -> tuple[StaticForm, ...]:
    """Every form there is a module for."""
    found: list[StaticForm] = []
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith(PREFIX):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            if all(hasattr(module, name) for name in ("recognize", "cases", "run")):
                found.append(cast(StaticForm, module))
    return tuple(found)


def static_form(data: Any) -> StaticForm | None:
    """The form that `data` has, None when it is none of them."""
    for form in static_forms():
        try:
            if form.recognize(data):
                return form
        except _WRONG_KIND:
            continue
    return None


def static_cases(form: StaticForm, file: str, data: Any) -> list[str]:
    """What can be compared; raises InputError when the document does not keep to its form."""
    try:
        return form.cases(data)
    except _WRONG_KIND as error:
        raise _misformed(file, "cases", error) from None


def static_run(form: StaticForm, file: str, data: Any, case_id: str, profile: str) -> Outcome:
    """Compare one; raises InputError when the document does not keep to its form, while a defect of the model is a difference."""
    try:
        return form.run(data, case_id, profile)
    except InputError:
        raise
    except Exception as error:
        place = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        if isinstance(error, _WRONG_KIND) and place.parent == Path(__file__).parent:
            raise _misformed(file, case_id, error) from None
        return Outcome(case_id, "", [Difference("defect", "goes on", f"{type(error).__name__}: {error} ({place.name})")])


def _misformed(file: str, where: str, error: Exception) -> InputError:
    return InputError(f"{file}: {where}", f"{type(error).__name__}: {error}", "the same kinds of values as in the recorded files are needed")
