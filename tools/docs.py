"""Builds one language of the documentation in one form: ``python tools/docs.py html|pdf en|zh``.

Sphinx runs with warnings as errors, to its end; what it draws or finds drawn is told.  For a PDF the log of LaTeX is read too: a missing glyph, a reference
that leads nowhere or text that leaves the page is a failure.  Standard library only.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
BUILD: Final = DOCS / "_build"
SOURCES: Final = {"en": DOCS, "zh": DOCS / "zh"}
FORMS: Final = ("html", "pdf")
_STEP: Final = re.compile(r"^(reading sources|writing output|copying images)\.\.\. *\[ *(\d+)%\] *(.*)$")
_TOLD: Final = re.compile(r"^(ringscope: .*|build succeeded.*|build finished.*|.* warnings?\.?)$")
OVERFULL_PT: Final = 12.0
"""So far a line may reach into the margin: more is text that people miss or that covers other text."""
_FAULTS: Final = (
    re.compile(r"^Missing character: (?!There is no   \(U\+0020\))(.*)$"),  # xeCJK asks a Chinese font for a space, and sets its own
    re.compile(r"^! (.*)$"),
    re.compile(r"^(?:LaTeX|Package hyperref|Package natbib) Warning: (.*(?:undefined|multiply).*)$"),
    re.compile(r"^LaTeX Font Warning: (.*undefined.*)$"),
)
_OVERFULL: Final = re.compile(r"^Overfull \\[hv]box \(([0-9.]+)pt too (?:wide|high)\) (.*)$")


def fail(what: str, advice: str) -> NoReturn:
    """Say what failed and what to do, and end."""
    print(f"FAILED: {what}\nWhat to do: {advice}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def run_sphinx(builder: str, language: str, out: Path) -> None:
    """One run of Sphinx; both builders of a language share what was read."""
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-W", "--keep-going", "-d", str(BUILD / language / "doctrees"), str(SOURCES[language]), str(out)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=None, stdin=subprocess.DEVNULL, text=True, errors="replace")
    assert process.stdout is not None
    told = -1
    for line in process.stdout:
        line = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
        step = _STEP.match(line)
        if step:
            # a line for each fifth: enough to see that it goes on, little enough for a log
            place = int(step[2]) // 20
            if place != told:
                told = place
                print(f"   {step[1]}: {step[2]}%", flush=True)
        elif _TOLD.match(line):
            print(f"   {line}", flush=True)
    if process.wait():
        fail(f"sphinx-build -b {builder} ({language})", "see the warnings above: each names its file and line")


def run_latex(folder: Path) -> None:
    """`latexmk` as often as references need; its own words go to a file."""
    told = folder / "latexmk.txt"
    command = ["latexmk", "-xelatex", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "ringscope.tex"]
    with told.open("w") as log:
        code = subprocess.run(command, check=False, cwd=folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    log_file = folder / "ringscope.log"
    if code or not log_file.exists():
        print("\n".join(told.read_text(errors="replace").splitlines()[-25:]), file=sys.stderr)
        fail("LaTeX", f"the whole log is {log_file.relative_to(ROOT)}")


def unwrapped(log: str) -> list[str]:
    """Lines of a TeX log, those put together that TeX broke at its 79th character."""
    lines: list[str] = []
    full = False
    for line in log.splitlines():
        if full:
            lines[-1] += line
        else:
            lines.append(line)
        full = len(line.encode()) == 79 or len(line) == 79
    return lines


def faults_of(log: str) -> list[str]:
    """What of a TeX log is a failure, each thing once."""
    found: list[str] = []
    for line in unwrapped(log):
        for pattern in _FAULTS:
            match = pattern.match(line)
            if match:
                found.append(line)
        wide = _OVERFULL.match(line)
        if wide and float(wide[1]) > OVERFULL_PT:
            found.append(f"text reaches {float(wide[1]):.0f} pt beyond its place: {wide[2]}")
    return list(dict.fromkeys(found))


def build_html(language: str) -> None:
    """The pages."""
    out = BUILD / language / "html"
    run_sphinx("html", language, out)
    print(f"   {out.relative_to(ROOT)}/index.html", flush=True)


def build_pdf(language: str) -> None:
    """The book."""
    missing = [program for program in ("xelatex", "latexmk") if not shutil.which(program)]
    if missing:
        fail(f"{' and '.join(missing)} not found", "make docs installs what is missing as root, or names it; make docs-html needs none of it")
    out = BUILD / language / "latex"
    run_sphinx("latex", language, out)
    run_latex(out)
    faults = faults_of((out / "ringscope.log").read_text(errors="replace"))
    if faults:
        print("\n".join(f"   {line}" for line in faults[:40]), file=sys.stderr)
        fail(f"the PDF has {len(faults)} faults", f"the lines above are from {(out / 'ringscope.log').relative_to(ROOT)}")
    made = BUILD / f"ringscope-{language}.pdf"
    shutil.copyfile(out / "ringscope.pdf", made)
    print(f"   {made.relative_to(ROOT)}", flush=True)


def main(arguments: list[str]) -> None:
    """Entry point."""
    if len(arguments) != 2 or arguments[0] not in FORMS or arguments[1] not in SOURCES:
        fail(f"tools/docs.py {' '.join(arguments)}", f"give one of {', '.join(FORMS)} and one of {', '.join(SOURCES)}")
    form, language = arguments
    began = time.monotonic()
    (build_html if form == "html" else build_pdf)(language)
    print(f"   {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
