"""``ringscope types``: the QOM types of the model."""

from __future__ import annotations

import click

from ringscope.cli.output import print_json


@click.command(name="types")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list with every column.")
def command(as_json: bool) -> None:
    """Print the QOM types: their parents, interfaces, structures, sizes and hooks.

    Sizes are bytes on x86-64; what is not known is null in JSON and a question mark in the tree.
    """
    from ringscope_core.engine.inspect import model_types

    rows = model_types()
    if as_json:
        print_json(rows)
        return
    children: dict[str, list[dict[str, object]]] = {}
    names = {str(row["name"]) for row in rows}
    for row in rows:
        parent = str(row["parent"]) if row["parent"] in names else ""
        children.setdefault(parent, []).append(row)
    _print_tree(children, "", 0)


def _print_tree(children: dict[str, list[dict[str, object]]], parent: str, depth: int) -> None:
    for row in sorted(children.get(parent, []), key=lambda row: str(row["name"])):
        sizes = f"instance {_size(row['instance_size'])}, class {_size(row['class_size'])}"
        abstract = ", abstract" if row["abstract"] else ""
        click.echo(f"{'  ' * depth}{row['name']}  ({sizes}{abstract})")
        _print_tree(children, str(row["name"]), depth + 1)


def _size(value: object) -> str:
    return "?" if value is None else str(value)
