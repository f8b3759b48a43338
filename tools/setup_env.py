"""Brings the checkout's ``.venv`` up to what `make run`, `make test` and the others need, and nothing twice.

What each step depends on stands in ``.venv/ringscope-setup.json`` once it is done; a step that finds all of its own there is skipped,
so that a second start costs some milliseconds.  Standard library only: at first nothing else is there.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.core_sources import compiled_modules, core_digest  # noqa: E402
from tools.system_packages import missing_build_tools, missing_latex, missing_libraries, missing_test_tools  # noqa: E402

STAMP = ROOT / ".venv" / "ringscope-setup.json"
STEPS = 5


class StepFailed(Exception):
    """A step that did not succeed: what failed, and what the person can do."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice


def digest_of(parts: list[str]) -> str:
    """Hash of a list of texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Setup:
    """The steps, in order, with the stamps of those that are done."""

    def __init__(self, extras: Sequence[str], tools: Sequence[str] = ()) -> None:
        self.project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        self.extras = sorted(extras)
        self.tools = sorted(tools)
        self.stamps: dict[str, list[str]] = self._read_stamps()
        self.build_requirements: list[str] = self.project["build-system"]["requires"]

    @staticmethod
    def _read_stamps() -> dict[str, list[str]]:
        """What was done before; nothing when the file is absent, damaged, or of a checkout that was moved."""
        try:
            stamps = json.loads(STAMP.read_text())
        except (OSError, ValueError):
            return {}
        return stamps if isinstance(stamps, dict) and stamps.get("root") == [str(ROOT)] else {}

    def run(self) -> None:
        """Do what is not done."""
        python = f"Python {sys.version}"
        requirements = self.requirements()
        self._step(
            2, "Debian packages", "system", ["libraries", *self.extras, *(f"tools {name}" for name in self.tools)], self.install_system_packages, keep=True
        )
        self._step(3, "Python packages", "python", [python, *requirements], lambda: self.install_requirements(requirements), keep=True)
        self._step(4, "ringscope into .venv", "project", [self.project_digest()], self.install_project)
        core = core_digest(ROOT, self.build_requirements)
        if not compiled_modules(ROOT):
            self.stamps.pop("core", None)
        self._step(5, "the compiled core", "core", [core], self.build_core)

    def _step(self, number: int, title: str, key: str, wanted: list[str], action: Callable[[], None], keep: bool = False) -> None:
        """Do `action` unless everything `wanted` was done before; with `keep`, what was done before stays done."""
        done = self.stamps.get(key, [])
        if set(wanted) <= set(done):
            return
        print(f"[{number}/{STEPS}] {title}", flush=True)
        began = time.monotonic()
        try:
            action()
        except StepFailed as failed:
            stop(f"step {number} of {STEPS}, {title}: {failed.what}", failed.advice)
        print(f"[{number}/{STEPS}] {title}: done in {time.monotonic() - began:.0f} s", flush=True)
        self.stamps[key] = [*wanted, *(part for part in done if keep and part not in wanted)]
        self.stamps["root"] = [str(ROOT)]
        STAMP.write_text(json.dumps(self.stamps, indent=1))

    def install_system_packages(self) -> None:
        """Libraries that Qt loads, the C compiler and Python's headers, asked tools; for tests, an X server."""
        needed = self.missing()
        if needed:
            install_debian(needed)
            still = self.missing()
            if still:
                raise StepFailed(
                    f"still missing after the installation: {' '.join(still)}", "install what provides them on this system, then repeat the command"
                )
        wanted = missing_test_tools() if "test" in self.extras else []
        if wanted and can_install_debian():
            try:
                install_debian(wanted)
                wanted = []
            except StepFailed as failed:
                print(f"  {failed.what}", flush=True)
        if wanted:
            print(f"  not installed: {' '.join(wanted)}; tests that need one of them will be skipped", flush=True)

    def missing(self) -> list[str]:
        """Debian packages of what has to be there."""
        return missing_libraries() + missing_build_tools() + (missing_latex() if "latex" in self.tools else [])

    def requirements(self) -> list[str]:
        """What pip shall install: to build, to run, and the asked extras."""
        project = self.project["project"]
        extras = [requirement for extra in self.extras for requirement in project["optional-dependencies"][extra]]
        return [*self.build_requirements, *project["dependencies"], *extras]

    def install_requirements(self, requirements: list[str]) -> None:
        """Everything in one call, so that pip sees all constraints together."""
        pip(["install", "--no-input", *requirements], "is the package index reachable? pip's own lines above name the package")

    def project_digest(self) -> str:
        """Changes when an editable installation would come out differently."""
        files = [ROOT / "pyproject.toml", ROOT / "setup.py"]
        return digest_of([str(ROOT), sys.version, *(path.read_text() for path in files)])

    def install_project(self) -> None:
        """Editable: `ringscope` and the three import packages point into this checkout.  The core is compiled after."""
        os.environ["RINGSCOPE_SKIP_COMPILE"] = "1"
        pip(["install", "--no-input", "-q", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], "see pip's lines above")
        del os.environ["RINGSCOPE_SKIP_COMPILE"]

    def build_core(self) -> None:
        """Compile in place, beside the sources; then import one module to see that it works."""
        for old in compiled_modules(ROOT):
            old.unlink()
        command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"]
        if subprocess.run(command, check=False, cwd=ROOT, stdin=subprocess.DEVNULL).returncode:
            for half_built in compiled_modules(ROOT):
                half_built.unlink()
            raise StepFailed(
                "mypyc or the C compiler failed", "see the lines above; RINGSCOPE_PURE=1 .venv/bin/ringscope runs without the compiled core, slowly"
            )
        probe = "import ringscope_core.trace.log as m; raise SystemExit(not m.__file__.endswith('.so'))"
        if subprocess.run([sys.executable, "-c", probe], check=False, cwd="/", stdin=subprocess.DEVNULL).returncode:
            raise StepFailed("the compiled core does not import", "make clean, then repeat the command")


def can_install_debian() -> bool:
    """Root, on a system that has apt-get."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_debian(packages: list[str]) -> None:
    """Install Debian packages when allowed, otherwise name them and stop."""
    names = " ".join(packages)
    if not can_install_debian():
        raise StepFailed(f"missing {names}", f"install them, on Debian and Ubuntu: sudo apt-get install {names}")
    print(f"  apt-get install {names}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]):
        if subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL).returncode:
            raise StepFailed(f"'{' '.join(command)}' failed", "see the lines above, or install them by hand, then repeat the command")


def pip(arguments: list[str], advice: str) -> None:
    """Run the venv's pip; its lines are the progress."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, check=False, cwd=ROOT, stdin=subprocess.DEVNULL).returncode:
        raise StepFailed("pip failed", advice)


def stop(what: str, advice: str) -> NoReturn:
    """Say what failed and what to do, and end."""
    print(f"\nFAILED: {what}\nWhat to do: {advice}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def main() -> None:
    """Entry point of `tools/bootstrap.sh`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--extra", action="append", default=[], help="an optional dependency group of pyproject.toml: test, check, dist, docs")
    parser.add_argument("--tools", action="append", default=[], choices=["latex"], help="programs of the system that are needed besides: latex for PDF")
    options = parser.parse_args()
    if Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        stop(f"{sys.executable} is not the Python of .venv", "call tools/bootstrap.sh or make setup")
    with open(ROOT / ".venv" / "ringscope-setup.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once: the second waits, then finds everything done
        Setup(options.extra, options.tools).run()


if __name__ == "__main__":
    main()
