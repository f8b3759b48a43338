"""The lines of documentation that stand below declarations, read from the source: Python keeps docstrings of classes, not of their attributes."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path


def source_of(module: str) -> Path:
    """The source of a module, also of one that is loaded compiled."""
    top, *rest = module.split(".")
    path = Path(str(import_module(top).__file__)).parent.joinpath(*rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(source_of(module).read_text(encoding="utf-8"))


def attribute_docs(module: str, owner: str = "") -> dict[str, str]:
    """Name -> the line below its declaration, for the attributes of class `owner`, or of the module itself."""
    body: list[ast.stmt] = _tree(module).body
    if owner:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == owner)
    found: dict[str, str] = {}
    for declaration, after in pairwise(body):
        name = _name(declaration)
        if name and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            found[name] = inspect.cleandoc(after.value.value)
    return found


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def class_doc(module: str, owner: str) -> str:
    """The docstring of class `owner`, also of a compiled one."""
    node = next(node for node in _tree(module).body if isinstance(node, ast.ClassDef) and node.name == owner)
    return ast.get_docstring(node) or ""
