"""What the configurations of the English and the Chinese documentation share.

``docs/conf.py`` and ``docs/zh/conf.py`` are the two; `values` gives each all that Sphinx reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ringscope_core import __version__

ROOT: Final = Path(__file__).resolve().parents[2]
FONTS: Final = ROOT / "resources" / "fonts"
BUILD: Final = ROOT / "docs" / "_build"

_LATIN: Final = ("Inter-Regular.otf", "Inter-Bold.otf", "Inter-Italic.otf", "JetBrainsMono-Regular.ttf", "JetBrainsMono-Bold.ttf")
_CHINESE: Final = ("RingscopeSansSC-Regular.otf", "RingscopeSansSC-Bold.otf")

_BODY: Final = "Inter, -apple-system, 'Segoe UI', Roboto, sans-serif"
_BODY_ZH: Final = "Inter, 'PingFang SC', 'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', 'Ringscope Sans SC', sans-serif"
_MONO: Final = "'JetBrains Mono', 'DejaVu Sans Mono', Consolas, monospace"

# the fonts lie beside the .tex file (latex_additional_files); in code no ligatures, ``->`` is two signs, and no hyphens that nobody wrote
_TEX_FONTS: Final = r"""
\setmainfont{Inter}[Path=./, Extension=.otf, UprightFont=*-Regular, BoldFont=*-Bold, ItalicFont=*-Italic, BoldItalicFont=*-Bold]
\setsansfont{Inter}[Path=./, Extension=.otf, UprightFont=*-Regular, BoldFont=*-Bold, ItalicFont=*-Italic, BoldItalicFont=*-Bold]
\setmonofont{JetBrainsMono}[Path=./, Extension=.ttf, UprightFont=*-Regular, BoldFont=*-Bold, ItalicFont=*-Regular, BoldItalicFont=*-Bold,
  Scale=0.86, HyphenChar=None, RawFeature={-calt;-liga}]
"""
_TEX_CHINESE: Final = r"""
\setCJKmainfont{RingscopeSansSC}[Path=./, Extension=.otf, UprightFont=*-Regular, BoldFont=*-Bold, ItalicFont=*-Regular, BoldItalicFont=*-Bold]
\setCJKsansfont{RingscopeSansSC}[Path=./, Extension=.otf, UprightFont=*-Regular, BoldFont=*-Bold, ItalicFont=*-Regular, BoldItalicFont=*-Bold]
\setCJKmonofont{RingscopeSansSC}[Path=./, Extension=.otf, UprightFont=*-Regular, BoldFont=*-Bold, ItalicFont=*-Regular, BoldItalicFont=*-Bold]
"""
# Sphinx calls the contents as the first of several lists of chapters is called
_TEX_ENGLISH_PREAMBLE: Final = r"""
\addto\captionsenglish{\renewcommand{\contentsname}{Contents}}
"""
_TEX_CHINESE_PREAMBLE: Final = r"""
\AtBeginDocument{\renewcommand{\contentsname}{目录}}
\titleformat{\chapter}[display]{\normalfont\huge\bfseries}{第 \thechapter{} 章}{20pt}{\Huge}
"""
# names with underscores, dots and slashes may break at the end of a line, in code too
_TEX_PREAMBLE: Final = r"""
\usepackage{tikz}
\usetikzlibrary{arrows.meta}
\sphinxsetup{VerbatimColor={gray}{0.965}, verbatimwithframe=false, verbatimforcewraps=true}
\sphinxsetup{InnerLinkColor={rgb}{0.07,0.33,0.6}, OuterLinkColor={rgb}{0.07,0.33,0.6}}
\makeatletter
\newcommand*\ringscopeunderscore{\textunderscore\penalty50\relax}
\protected\def\sphinxcode#1{{\let\_\ringscopeunderscore
  \renewcommand*\sphinxhyphenininlineliteral{-\penalty100\relax}%
  \renewcommand*\sphinxbreaksafteractivelist{\do\.\do\,\do\;\do\?\do\!\do\/\do\:\do\=\do\|}%
  \texttt{#1}}}
% listings break at spaces and in paths, not in names, options and arrows
\renewcommand*\sphinxbreaksafterlist{\do\PYGZcb\}\do\PYGZca\^\do\PYGZam\&\do\PYGZti\~\do\PYGZbs\\}
% the text of a cell is ragged: few words do not fill a narrow line
\let\ringscopecellend\sphinxbeforeendvarwidth
\def\sphinxbeforeendvarwidth{\rightskip=\@flushglue\ringscopecellend}
\makeatother
\AtBeginEnvironment{tabulary}{\footnotesize}
\AtBeginEnvironment{tabular}{\footnotesize}
\AtBeginEnvironment{longtable}{\footnotesize}
% needspace.sty's \needspace stretches, so that pages end there that have much room left; the other one measures
\renewcommand{\needspace}[1]{\Needspace{#1}}
\def\sphinxtablecapwidth{\linewidth}
\setlength{\headheight}{13pt}
\setcounter{tocdepth}{1}
\emergencystretch=3em
\hbadness=10000
\vbadness=10000
\tracinglostchars=2
\sphinxsetup{verbatimvisiblespace={\ }}
"""


def values(language: str, confdir: Path) -> dict[str, Any]:
    """Sphinx's values for the documentation in `language` (``en`` or ``zh``), whose ``conf.py`` lies in `confdir`."""
    chinese = language == "zh"
    title = "Ringscope 文档" if chinese else "Ringscope documentation"
    fonts = [*_LATIN, *(_CHINESE if chinese else ())]
    stack = {"font-stack": _BODY_ZH if chinese else _BODY, "font-stack--monospace": _MONO, "font-stack--headings": _BODY_ZH if chinese else _BODY}
    light = {**stack, "color-brand-primary": "#1257a0", "color-brand-content": "#1257a0"}
    dark = {**stack, "color-brand-primary": "#7ab8ff", "color-brand-content": "#7ab8ff"}
    return {
        "project": "Ringscope",
        "author": "The Ringscope authors",
        "copyright": "2026, The Ringscope authors",
        "version": __version__,
        "release": __version__,
        "today": __version__,
        "language": "zh_CN" if chinese else "en",
        "html_search_language": "zh" if chinese else "en",
        "extensions": ["myst_parser", "ringscope.sphinx", "ringscope_reference"],
        "source_suffix": {".md": "markdown"},
        "root_doc": "index",
        "exclude_patterns": ["_build", "_ext", "_static", *([] if chinese else ["zh"])],
        "templates_path": [],
        "myst_enable_extensions": ["colon_fence", "deflist", "fieldlist", "attrs_inline", "attrs_block"],
        "myst_heading_anchors": 3,
        "smartquotes_action": "qe",  # no dashes: --record is an option
        "numfig": True,
        "nitpicky": True,
        "suppress_warnings": ["epub"],
        "ringscope_cache": str(BUILD / "ringscope"),
        # -- HTML
        "html_theme": "furo",
        "html_title": f"{title} {__version__}",
        "html_logo": str(ROOT / "resources" / "icons" / "ringscope.svg"),
        "html_favicon": str(ROOT / "resources" / "icons" / "ringscope.svg"),
        "html_static_path": [str(ROOT / "docs" / "_static"), *(str(FONTS / name) for name in fonts)],
        "html_css_files": ["ringscope-docs.css"],
        "html_theme_options": {"light_css_variables": light, "dark_css_variables": dark},
        "html_copy_source": False,
        "html_show_sourcelink": False,
        # -- PDF
        "latex_engine": "xelatex",
        "latex_use_xindy": False,
        "latex_documents": [("index", "ringscope.tex", title, "The Ringscope authors", "manual")],
        "latex_additional_files": [str(FONTS / name) for name in fonts],
        "latex_show_urls": "no",
        "latex_elements": {
            "papersize": "a4paper",
            "pointsize": "10pt",
            "fontpkg": _TEX_FONTS + (_TEX_CHINESE if chinese else ""),
            "preamble": _TEX_PREAMBLE + (_TEX_CHINESE_PREAMBLE if chinese else _TEX_ENGLISH_PREAMBLE),
            "fncychap": "",
            "fvset": r"\fvset{fontsize=\footnotesize}",
            "extraclassoptions": "openany,oneside",
            "releasename": " ",
            "figure_align": "H",  # long tables and floats that wait do not go together
            # makeindex cannot tell where a Chinese letter ends
            **({"printindex": ""} if chinese else {}),
        },
    }


__all__ = ["BUILD", "FONTS", "ROOT", "values"]
