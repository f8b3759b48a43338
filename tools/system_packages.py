"""What Ringscope needs from the system, found by trying it, with the Debian package of each.

The list of libraries is what the Qt libraries and the xcb and offscreen platform plugins of PySide6-Essentials name as needed and do not bring.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libbrotlidec.so.1": "libbrotli1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libzstd.so.1": "libzstd1",
}
"""Shared library and the Debian package that brings it."""


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_libraries() -> list[str]:
    """Debian packages of the libraries that Qt needs and that do not load."""
    return [package for library, package in QT_LIBRARIES.items() if not _loads(library)]


def missing_build_tools() -> list[str]:
    """Debian packages of what the compile step lacks: a C compiler that links, Python's headers."""
    compiler = os.environ.get("CC", "cc").split()[0]
    found = [] if shutil.which(compiler) or shutil.which("gcc") else ["gcc"]
    if not Path("/usr/include/stdio.h").exists() and not os.environ.get("CC"):
        found.append("libc6-dev")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        found.append("python3-dev")
    return found


def missing_test_tools() -> list[str]:
    """Debian packages of what only tests use.

    A virtual X server, keys pressed on it and pictures taken of it, for the tests marked ``display``; a QEMU to compare with; tshark, which reads our captures;
    node, which runs Perfetto's reader.
    """
    wanted = {"Xvfb": "xvfb", "xdotool": "xdotool", "import": "imagemagick", "qemu-system-x86_64": "qemu-system-x86", "tshark": "tshark", "node": "nodejs"}
    return [package for program, package in wanted.items() if not shutil.which(program)]


def missing_latex() -> list[str]:
    """Debian packages of what makes a PDF of the documentation: XeLaTeX with Sphinx's styles and those for Chinese, and what runs it as often as needed.

    The fonts are our own.
    """
    wanted = {
        "xelatex": "texlive-xetex",
        "latexmk": "latexmk",
    }
    found = [package for program, package in wanted.items() if not shutil.which(program)]
    styles = {
        "fncychap.sty": "texlive-latex-extra",
        "tikz.sty": "texlive-pictures",
        "pzdr.tfm": "texlive-fonts-recommended",
        "xeCJK.sty": "texlive-lang-cjk",
        "ctexhook.sty": "texlive-lang-chinese",
    }
    return found + [package for style, package in styles.items() if not _has_style(style)]


def _has_style(style: str) -> bool:
    """Whether LaTeX finds a style; False where there is no LaTeX."""
    if not shutil.which("kpsewhich"):
        return False
    return subprocess.run(["kpsewhich", style], check=False, capture_output=True).returncode == 0
