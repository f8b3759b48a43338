"""Files of static facts (types, properties, option errors, trees, configuration space): each has a module that knows its form."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Protocol, cast

import ringscope_core.conform as package
from ringscope_core.conform.outcome import Outcome

PREFIX = "static_"


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
        if form.recognize(data):
            return form
    return None
