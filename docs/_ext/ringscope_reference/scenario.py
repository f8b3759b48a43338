"""Topic ``scenario``: every key of a scenario file with type, default and what is allowed, from the model that checks files."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from ringscope_core.scenario import model, validate
from ringscope_core.scenario.load import load
from ringscope_core.scenario.model import ACTION_WORDS, Scenario
from ringscope_core.scenario.shipped import SHIPPED

from .blocks import Block, Section, Table, Text, code, codes, markdown_of
from .declared import attribute_docs, class_doc
from .wording import w

MODULE = "ringscope_core.scenario.model"
_SEE_CODE: Final = re.compile(r"; see `[^`]+`")


def tables() -> dict[str, type[msgspec.Struct]]:
    """The tables of a scenario file by their name in it; ``""`` is the file itself."""
    found: dict[str, type[msgspec.Struct]] = {"": Scenario}
    for name, kind in validate.fields_of(Scenario).items():
        struct = _struct_of(kind)
        if struct is not None:
            found[name] = struct
    return found


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    inner = get_args(kind)[0] if get_origin(kind) is list else kind
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def is_array(name: str) -> bool:
    """Whether table `name` may stand several times: ``[[name]]``."""
    return get_origin(validate.fields_of(Scenario)[name]) is list


def key_names() -> list[str]:
    """Every key, with its table: ``driver.mtu``."""
    return [f"{table}.{key}" if table else key for table, struct in tables().items() for key in validate.fields_of(struct)]


def scenario() -> list[Block]:
    """The whole topic."""
    blocks: list[Block] = []
    for table, struct in tables().items():
        title = w("The file itself") if not table else code(f"[[{table}]]" if is_array(table) else f"[{table}]")
        blocks.append(Section(title, f"scenario-{table or 'file'}", tuple(_table(table, struct)), (f"{table} ; scenario",) if table else ()))
    return blocks


def _table(table: str, struct: type[msgspec.Struct]) -> list[Block]:
    docs = attribute_docs(MODULE, struct.__name__)
    rows = []
    defaults = {field.name: field for field in msgspec.structs.fields(struct)}
    for name, kind in validate.fields_of(struct).items():
        inner = _struct_of(kind)
        if not table and inner is not None:
            allowed, default = f"[{w('table')}](#scenario-{name})", ""
        else:
            allowed, default = allowed_words(kind), _default(defaults[name])
        rows.append((code(name), default, allowed, markdown_of(docs[name])))
    blocks: list[Block] = [Table((w("key"), w("default"), w("allowed"), w("means")), tuple(rows), (18, 16, 26, 40))]
    if table:
        doc = class_doc(MODULE, struct.__name__)
        # where the code says more is nothing to readers of the reference
        words = _SEE_CODE.sub("", doc.partition(": ")[2] or doc)
        blocks.insert(0, Text(markdown_of(words[0].upper() + words[1:])))
    if struct is model.Action:
        blocks.append(Table((code("do"), w("means")), tuple((code(name), markdown_of(text)) for name, text in ACTION_WORDS.items()), (20, 80)))
    return blocks


def _default(field: Any) -> str:
    if field.required:
        return w("must be given")
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, bool):
        return code(str(value).lower())
    if value in ("", []):
        return w("empty")
    return code(value)


def allowed_words(kind: Any) -> str:
    """What may stand for a key, in a few words."""
    if get_origin(kind) is list:
        return f"{w('a list of')} {allowed_words(get_args(kind)[0])}"
    if get_origin(kind) is Literal:
        return codes(get_args(kind))
    if get_origin(kind) is Annotated:
        base, *metas = get_args(kind)
        return next((words for meta in metas if isinstance(meta, Meta) and (words := _meta_words(meta))), allowed_words(base))
    return {bool: codes(("true", "false")), str: w("a text"), int: w("a whole number"), float: w("a number")}[kind]


def _meta_words(meta: Meta) -> str:
    name = str((meta.extra or {}).get("allowed", ""))
    if name:
        return w(validate.ALLOWED[name])
    if meta.ge is not None and meta.le is not None:
        return (
            w("from {least}").format(least=f"{meta.ge:g}") if meta.le >= 1 << 62 else w("{least} to {most}").format(least=f"{meta.ge:g}", most=f"{meta.le:.0f}")
        )
    return ""


def shipped() -> list[Block]:
    """Topic ``shipped``: the scenarios that ship, from their own files."""
    rows = []
    for name in SHIPPED:
        made = load(name)
        rows.append((code(name), made.title, " ".join(made.description.split()), made.profile, codes(sorted({entry.kind for entry in made.traffic}))))
    return [Table((w("name"), w("title"), w("shows"), w("profile"), w("traffic")), tuple(rows), (16, 22, 40, 8, 14))]


__all__ = ["key_names", "scenario", "shipped", "tables"]
