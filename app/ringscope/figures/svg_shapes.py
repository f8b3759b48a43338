"""Tidies what Qt writes as SVG: shapes with equal attributes together, clips once, crisp lines, texts of a fixed length."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple
from xml.etree import ElementTree

from ringscope.figures.svg_text import Texts

SVG: Final = "{http://www.w3.org/2000/svg}"
_LINK: Final = "{http://www.w3.org/1999/xlink}href"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_DEFAULTS: Final = {
    "fill-opacity": "1",
    "stroke-opacity": "1",
    "opacity": "1",
    "stroke-width": "1",
    "stroke-linecap": "square",
    "stroke-linejoin": "bevel",
    "stroke": "none",
    "vector-effect": "none",
    "fill-rule": "evenodd",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
}
"""Values that need not be said: SVG's own, and those of the root."""
ROOT: Final = 'stroke-linecap="square" stroke-linejoin="bevel" fill-rule="evenodd"'
_FONT: Final = ("font-family", "font-size", "font-weight", "font-style")
_MATRIX: Final = re.compile(r"matrix\(([^)]*)\)")
_WHOLE: Final = re.compile(r"-?\d+(?:\.0+)?")
_NUMBERS: Final = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


class Shape(NamedTuple):
    """One element with everything that holds for it."""

    clip: str
    """The outline that it is cut by, "" for none."""
    transform: str
    style: tuple[tuple[str, str], ...]
    text: str
    """The element itself."""


def tidy(document: bytes, texts: Texts) -> tuple[list[Shape], str]:
    """The shapes of `document` in the order in which they are painted, and its view box."""
    root = ElementTree.fromstring(document)
    clips = {clip.get("id", ""): _outline(clip) for clip in root.iter(f"{SVG}clipPath")}
    box = root.get("viewBox", "")
    shapes: list[Shape] = []
    for child in root:
        if child.tag == f"{SVG}g":
            _walk(child, {}, "", "", clips, texts, shapes)
    whole = _whole_picture(box)
    return [shape._replace(clip="") if shape.clip == whole else shape for shape in shapes], box


def grouped(shapes: list[Shape]) -> list[str]:
    """The lines of a document's body: neighbours that share clip, transform and style share one ``g``."""
    outlines = list(dict.fromkeys(shape.clip for shape in shapes if shape.clip))
    lines = ["<defs>"] if outlines else []
    lines += [f'<clipPath id="c{number}"><path d="{outline}" clip-rule="evenodd"/></clipPath>' for number, outline in enumerate(outlines)]
    lines += ["</defs>"] if outlines else []
    clip = ""
    last: tuple[str, tuple[tuple[str, str], ...]] | None = None
    for shape in shapes:
        if shape.clip != clip:
            lines += ["</g>"] * ((last is not None) + bool(clip))
            lines += [f'<g clip-path="url(#c{outlines.index(shape.clip)})">'] if shape.clip else []
            clip, last = shape.clip, None
        if (shape.transform, shape.style) != last:
            lines += ["</g>"] if last is not None else []
            last = (shape.transform, shape.style)
            words = [f'transform="{shape.transform}"'] if shape.transform else []
            words += [f'{name}="{value}"' for name, value in shape.style]
            lines.append(f"<g {' '.join(words)}>" if words else "<g>")
        lines.append(shape.text)
    return [*lines, *["</g>"] * ((last is not None) + bool(clip))]


# -- reading ----------------------------------------------------------------------------------------------------------------
def _outline(clip: ElementTree.Element) -> str:
    path = clip.find(f"{SVG}path")
    return " ".join((path.get("d") or "").split()) if path is not None else ""


def _whole_picture(box: str) -> str:
    left, top, width, height = (float(word) for word in box.split())
    right, bottom = left + width, top + height
    return f"M{left:g},{top:g} L{right:g},{top:g} L{right:g},{bottom:g} L{left:g},{bottom:g} L{left:g},{top:g} Z"


def _walk(group: ElementTree.Element, style: dict[str, str], transform: str, clip: str, clips: dict[str, str], texts: Texts, shapes: list[Shape]) -> None:
    own = dict(group.attrib)
    if cut := own.pop("clip-path", ""):
        clip = clips[cut.removeprefix("url(#").removesuffix(")")]
    if moved := _transform(own.pop("transform", "")):
        transform = f"{transform} {moved}".strip()
    style = {**style, **own}
    for child in group:
        if child.tag == f"{SVG}g":
            _walk(child, style, transform, clip, clips, texts, shapes)
        else:
            shapes.append(_shape(child, style, transform, clip, texts))


def _transform(text: str) -> str:
    """A matrix as short as it goes, "" for none."""
    found = _MATRIX.fullmatch(text.strip())
    if found is None:
        return text.strip()
    a, b, c, d, e, f = (float(word) for word in found[1].split(","))
    if (a, b, c, d) != (1, 0, 0, 1):
        return f"matrix({a:g} {b:g} {c:g} {d:g} {_short(e)} {_short(f)})"
    return f"translate({_short(e)} {_short(f)})" if e or f else ""


def _short(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if value else "0"


def _shape(element: ElementTree.Element, style: dict[str, str], transform: str, clip: str, texts: Texts) -> Shape:
    name = element.tag.removeprefix(SVG)
    own = dict(element.attrib)
    if name == "text":
        # Qt repeats on a text what its group says
        held = {**style, **{key: own.pop(key) for key in (*_FONT, "fill", "fill-opacity", "stroke", "opacity") if key in own}}
        own.pop(_SPACE, None)
        said = texts.element(element.text or "", held, own)
        return Shape(clip, transform, _style({key: value for key, value in held.items() if key not in _FONT and not key.startswith("stroke")}), said)
    held = {**{key: value for key, value in style.items() if key not in _FONT}, **{key: own.pop(key) for key in list(own) if key in _DEFAULTS or key == "fill"}}
    if name == "image":
        own = {("xlink:href" if key == _LINK else key): value for key, value in own.items()}
    if name in ("path", "polyline", "polygon") and held.get("fill", "none") != "none" and held.get("stroke", "none") == "none":
        held.pop("stroke-width", None)
    said = " ".join(f'{key}="{" ".join(value.split())}"' for key, value in own.items())
    if held.get("stroke", "none") != "none" and _crisp(name, own, held):
        transform = f"{transform} translate(0.5 0.5)".strip()
    return Shape(clip, transform, _style(held), f"<{name} {said}/>")


def _style(held: dict[str, str]) -> tuple[tuple[str, str], ...]:
    if held.get("stroke", "none") == "none":
        held = {key: value for key, value in held.items() if not key.startswith("stroke")}
    if held.get("fill", "") == "none":
        held = {key: value for key, value in held.items() if key != "fill-opacity"}
    return tuple(sorted((key, value) for key, value in held.items() if _DEFAULTS.get(key) != value))


def _crisp(name: str, own: dict[str, str], held: dict[str, str]) -> bool:
    """Whether it is a line of one pixel on whole pixels, upright or level: on a screen it fills pixels, not the edges between them."""
    if held.get("stroke-width", "1") != "1" or name not in ("path", "polyline", "line", "rect"):
        return False
    words = own.get("points") or own.get("d") or " ".join(own.get(key, "") for key in ("x", "y", "x1", "y1", "x2", "y2", "width", "height"))
    if re.search(r"[CcQqAaSs]", words):
        return False
    numbers = _NUMBERS.findall(words)
    if len(numbers) < 4 or not all(_WHOLE.fullmatch(number) for number in numbers):
        return False
    if name == "rect":
        return True
    points = [(float(x), float(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
    return all(x1 == x2 or y1 == y2 for (x1, y1), (x2, y2) in pairwise(points))
