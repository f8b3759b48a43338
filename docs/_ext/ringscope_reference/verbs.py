"""Topic ``verbs``: every verb with its arguments and options, from click's declarations."""

from __future__ import annotations

import click

from ringscope.cli.main import PROGRAM, VERBS, cli

from .blocks import Block, Section, Table, Text, code, codes, markdown_of
from .wording import w


def command_of(verb: str) -> click.Command:
    """The click command of a verb."""
    command = cli.get_command(click.Context(cli, info_name=PROGRAM), verb)
    assert command is not None
    return command


def usage(verb: str) -> str:
    """The line that ``--help`` begins with."""
    context = click.Context(command_of(verb), info_name=f"{PROGRAM} {verb}")
    return " ".join([f"{PROGRAM} {verb}", *command_of(verb).collect_usage_pieces(context)])


def options_of(verb: str) -> list[click.Option]:
    """Every option but ``--help``, which all have, and those for our own tests."""
    return [param for param in command_of(verb).params if isinstance(param, click.Option) and not param.hidden]


def verbs() -> list[Block]:
    """A list of all verbs, then a section for each."""
    rows = tuple((f"[{code(verb)}](#verb-{verb})", line) for verb, line in VERBS.items())
    return [Table((w("verb"), w("does")), rows, (20, 80)), *(_section(verb) for verb in VERBS)]


def _section(verb: str) -> Section:
    command = command_of(verb)
    text = click.unstyle(command.help or "").replace("\b", "")
    body: list[Block] = [Text(f"```text\n{usage(verb)}\n```"), Text(_paragraphs(text))]
    rows = tuple((codes(_spellings(option)), _means(option)) for option in options_of(verb))
    body.append(Table((w("option"), w("means")), rows, (34, 66)))
    return Section(code(verb), f"verb-{verb}", tuple(body), (f"{verb}; {w('verb')}",))


def _paragraphs(help_text: str) -> str:
    return "\n\n".join(markdown_of(part) for part in help_text.split("\n\n"))


def _spellings(option: click.Option) -> list[str]:
    metavar = "" if option.is_flag or option.count else " " + (option.metavar or str(option.type.name).upper())
    return [f"{name}{metavar}" for name in (*option.opts, *option.secondary_opts)]


def _means(option: click.Option) -> str:
    parts = [markdown_of(option.help or "")]
    if isinstance(option.type, click.Choice):
        parts.append(f"{w('One of')} {codes(list(option.type.choices))}.")
    if option.required:
        parts.append(w("Must be given."))
    if option.multiple:
        parts.append(w("May be given again."))
    shown = option.default
    if option.show_default and shown not in (None, "", False) and not callable(shown) and "UNSET" not in repr(shown):
        parts.append(f"{w('Default')}: {code(shown)}.")
    return " ".join(part for part in parts if part)
