"""Sphinx configuration: Markdown pages, no network, no theme beyond Sphinx's own."""

from __future__ import annotations

project = "Ringscope"
author = "The Ringscope authors"
copyright = "2026, The Ringscope authors"  # noqa: A001  (Sphinx's name)
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
master_doc = "index"
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_logo = "../resources/icons/ringscope.svg"
html_theme_options = {"description": "A visual debugger for QEMU's virtio-net-pci"}
myst_heading_anchors = 3
