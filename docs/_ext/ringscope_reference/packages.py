"""Topic ``packages``: the packages as a picture, from the layers that import-linter holds and from the imports that are there."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import networkx

from .blocks import Block, Drawing
from .wording import w

ROOT: Final = Path(__file__).resolve().parents[3]
SOURCES: Final = {"ringscope_core": ROOT / "core" / "ringscope_core", "ringscope": ROOT / "app" / "ringscope"}
HEIGHT: Final = 30
ROW: Final = 62
GAP: Final = 22
LETTER: Final = 8.0


@dataclass(frozen=True)
class Box:
    """A package at its place, pixels."""

    name: str
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """Where arrows begin and end."""
        return self.x + self.width / 2


def layers_of(package: str) -> list[list[str]]:
    """The layers of an import package, the highest first, from the contracts in ``pyproject.toml``."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = next(one for one in contracts if one["type"] == "layers" and one["containers"] == [package])
    return [[name.strip("() ") for name in re.split(r"[|:]", layer)] for layer in found["layers"]]


def _owner(module: str, names: set[str]) -> str:
    """The package or module of the layers that a module belongs to; ``window_keys`` belongs to ``window``."""
    head = module.split(".")[0]
    if head in names:
        return head
    stem = head.partition("_")[0]
    return stem if stem in names else ""


def _imported(source: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(f"{package}."):
            rest = node.module.removeprefix(package).lstrip(".")
            yield from [rest] if rest else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix(f"{package}.") for alias in node.names if alias.name.startswith(f"{package}."))


@cache
def edges_of(package: str) -> list[tuple[str, str]]:
    """Who imports whom, without what follows from others."""
    names = {name for layer in layers_of(package) for name in layer}
    graph = networkx.DiGraph()
    graph.add_nodes_from(names)
    root = SOURCES[package]
    for source in root.rglob("*.py"):
        owner = _owner(".".join(source.relative_to(root).with_suffix("").parts), names)
        for module in _imported(source, package):
            target = _owner(module, names)
            if owner and target and owner != target:
                graph.add_edge(owner, target)
    return sorted(networkx.transitive_reduction(graph).edges)


def boxes_of(package: str) -> tuple[dict[str, Box], float, float]:
    """The boxes by name, and the picture's width and height."""
    layers = layers_of(package)
    rows = [[(name, len(name) * LETTER + 24) for name in layer] for layer in layers]
    width = max(sum(size for _, size in row) + GAP * (len(row) - 1) for row in rows) + 160
    boxes: dict[str, Box] = {}
    for place, row in enumerate(rows):
        x = (width - sum(size for _, size in row) - GAP * (len(row) - 1)) / 2
        for name, size in row:
            boxes[name] = Box(name, x, place * ROW + 1, size)
            x += size + GAP
    return boxes, width, (len(rows) - 1) * ROW + HEIGHT + 2


def paths_of(package: str) -> list[list[tuple[float, float]]]:
    """The arrows as points; one that passes a layer goes round its boxes."""
    boxes, width, _ = boxes_of(package)
    paths = []
    lanes = {"left": 0, "right": 0}
    for above, below in edges_of(package):
        start, end = boxes[above], boxes[below]
        first, last = (start.middle, start.y + HEIGHT), (end.middle, end.y)
        if end.y - start.y <= ROW + 1:
            paths.append([first, last])
            continue
        side = "left" if (start.middle + end.middle) / 2 <= width / 2 else "right"
        lanes[side] += 1
        x = 6 + 12 * lanes[side] if side == "left" else width - 6 - 12 * lanes[side]
        edge_a = start.x if side == "left" else start.x + start.width
        edge_b = end.x if side == "left" else end.x + end.width
        paths.append([(edge_a, start.y + HEIGHT / 2), (x, start.y + HEIGHT / 2), (x, end.y + HEIGHT / 2), (edge_b, end.y + HEIGHT / 2)])
    return paths


def svg(package: str) -> str:
    """The picture for a page in HTML, in the page's own colours and font."""
    boxes, width, height = boxes_of(package)
    marker = f"arrow-{package.replace('_', '-')}"
    parts = [
        f'<svg class="ringscope-packages" role="img" aria-label="{escape(_alt(package))}" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        ' style="max-width: 100%; height: auto; color: var(--color-foreground-primary)">',
        f'<defs><marker id="{marker}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="currentColor"/></marker></defs>',
    ]
    for path in paths_of(package):
        points = " L".join(f"{x:.0f} {y:.0f}" for x, y in path)
        parts.append(f'<path d="M{points}" fill="none" stroke="currentColor" stroke-opacity="0.6" marker-end="url(#{marker})"/>')
    for box in boxes.values():
        parts.append(
            f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{HEIGHT}" rx="5" fill="var(--color-background-secondary)"'
            ' stroke="var(--color-brand-primary)"/>'
            f'<text x="{box.middle:.0f}" y="{box.y + 20:.0f}" text-anchor="middle" font-family="var(--font-stack--monospace)" font-size="13"'
            f' fill="currentColor">{escape(box.name)}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def tikz(package: str) -> str:
    """The picture for a page in LaTeX."""
    boxes, width, _ = boxes_of(package)
    scale = min(1.0, 440 / width)
    lines = [rf"\begin{{center}}\begin{{tikzpicture}}[x={scale:.3f}bp, y=-{scale:.3f}bp, font=\ttfamily\footnotesize]"]
    for path in paths_of(package):
        lines.append(r"\draw[-stealth, gray] " + " -- ".join(f"({x:.0f},{y:.0f})" for x, y in path) + ";")
    for box in boxes.values():
        name = box.name.replace("_", r"\_")
        lines.append(
            rf"\draw[rounded corners=3bp, fill=black!4] ({box.x:.0f},{box.y:.0f}) rectangle ({box.x + box.width:.0f},{box.y + HEIGHT:.0f});"
            rf"\node at ({box.middle:.0f},{box.y + HEIGHT / 2:.0f}) {{{name}}};"
        )
    return "\n".join([*lines, r"\end{tikzpicture}\end{center}"])


def _alt(package: str) -> str:
    rows = "; ".join(", ".join(layer) for layer in layers_of(package))
    return f"{package}: {w('layers, the highest first')}: {rows}"


def packages() -> list[Block]:
    """Both import packages."""
    return [Drawing(f"`{package}`", svg(package), tikz(package), _alt(package)) for package in SOURCES]
