"""The picture in a figure: a node that every builder shares, made into images when a page is written, of the kind that the builder takes."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.images import get_image_size

from ringscope.sphinx.domain import domain_of
from ringscope.sphinx.figure_options import Picture
from ringscope.sphinx.html_style import DARK, LIGHT, has_dark
from ringscope.sphinx.making import PROBLEMS, problem_text
from ringscope.sphinx.settings import AUTO
from ringscope.sphinx.worker import figure_spec

if TYPE_CHECKING:
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment

    from ringscope.sphinx.workshop import Workshop

_LOGGER = logging.getLogger(__name__)
_TYPES: Final = {".svg": "image/svg+xml", ".png": "image/png", ".pdf": "application/pdf"}
_SVG_WIDTH: Final = re.compile(rb'<svg\b[^>]*?\bviewBox="[-\d.]+ [-\d.]+ ([\d.]+) ')


class ringscope_picture(nodes.General, nodes.Element):
    """Stands for the picture of a figure: ``spec``, ``theme``, ``format``, ``alt`` and, when a page says so, ``width``."""


def picture_node(picture: Picture, alt: str, width: str) -> ringscope_picture:
    """The node of `picture`, which Sphinx can keep in a file."""
    return ringscope_picture("", spec=asdict(picture.spec), theme=picture.theme, format=picture.format, alt=alt, width=width)


def suffix_for(builder: Builder, form: str) -> str:
    """The kind of file that `builder` gets for a figure of format `form`; "" for a builder without pictures."""
    takes = builder.supported_image_types
    # paper gets vectors, whatever a page says for the screen
    wishes = (".pdf", f".{form}", ".png", ".svg") if builder.format == "latex" else (f".{form}", ".svg", ".png", ".pdf")
    return next((wish for wish in wishes if _TYPES[wish] in takes), "")


def themes_for(builder: Builder, theme: str) -> tuple[str, ...]:
    """The themes in which `builder` gets a figure."""
    if theme != AUTO:
        return (theme,)
    if builder.format == "latex":
        return ("print",)
    return ("light", "dark") if has_dark(builder) else ("light",)


def files_of(workshop: Workshop, builder: Builder, spec: dict[str, Any], theme: str, form: str) -> list[tuple[str, Path]]:
    """Theme and file of every image that `builder` shows for a figure; none for a builder without pictures.  Raises `making.PROBLEMS`."""
    suffix = suffix_for(builder, form)
    if not suffix:
        return []
    themes = themes_for(builder, theme)
    return list(zip(themes, workshop.pictures(figure_spec(spec), themes, suffix), strict=True))


class PictureTransform(SphinxPostTransform):
    """Puts images, or the words of a builder that has none, where pictures are."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """All pictures of a page; it is drawn here when the cache was emptied, or for a builder that did not read the page."""
        domain = domain_of(self.env)
        workshop, builder = domain.workshop, domain.builder
        if workshop is None or builder is None:
            return
        for node in list(self.document.findall(ringscope_picture)):
            try:
                files = files_of(workshop, builder, node["spec"], node["theme"], node["format"])
            except PROBLEMS as error:
                _LOGGER.warning("ringscope-figure: %s", problem_text(error), location=node, type="ringscope", subtype="figure")
                files = []
            images = [_image(self.env, node, path, theme, len(files) > 1) for theme, path in files]
            node.replace_self(images or [_words(node["alt"])])


def _image(env: BuildEnvironment, node: ringscope_picture, path: Path, theme: str, one_of_two: bool) -> nodes.image:
    # relative, so that names in the output do not tell where it was built
    uri = Path(os.path.relpath(path, env.srcdir)).as_posix()
    env.images.add_file(env.docname, uri)
    image = nodes.image("", uri=uri, candidates={"*": uri}, alt=node["alt"])
    image.source, image.line = node.source, node.line
    width = node["width"] or _width(node, path)
    if width:
        image["width"] = width
    if one_of_two:
        image["classes"].append(DARK if theme == "dark" else LIGHT)
    return image


def _width(node: ringscope_picture, path: Path) -> str:
    """The width of a picture on a screen, which no number of pixels changes; and HTML links an image with a width to the whole of it."""
    if path.suffix == ".png":
        size = get_image_size(path)
        return f"{round(size[0] / node['spec']['scale'])}px" if size else ""
    found = _SVG_WIDTH.search(path.read_bytes()[:4096]) if path.suffix == ".svg" else None
    return f"{round(float(found[1]))}px" if found else ""


def _words(alt: str) -> nodes.Node:
    return nodes.paragraph("", alt, classes=["ringscope-alt"])
