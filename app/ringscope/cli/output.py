"""How verbs print: JSON for programs, plain text for people."""

from __future__ import annotations

import json

import click


def print_json(value: object) -> None:
    """One JSON document, indented."""
    click.echo(json.dumps(value, indent=2))
