"""The bundle recipe: a folder with its own Python, Ringscope and Qt, and a launcher; and its archive.

It needs no installation and no Python on the target; it needs a glibc no older than the one it was built with, and the X or Wayland
libraries every desktop has.  Run by `make bundle`:  build.py [--out dist].  Everything is copied from the Python that runs this and from
a wheel built from this checkout, so what is tested is what ships.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

STDLIB_LEFT_OUT = (
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
    "site-packages",
    "dist-packages",
    "__pycache__",
    "config-*",
    "pydoc_data",
)
QT_LEFT_OUT = (
    "qml", "Qt/qml", "Qt/translations", "Qt/resources", "Qt/libexec", "include", "typesystems", "glue", "scripts", "doc", "Qt/plugins/qmltooling",
    "Qt/plugins/qmllint", "Qt/plugins/designer", "Qt/plugins/sqldrivers", "Qt/plugins/vectorimageformats",
)  # fmt: skip
"""Parts of PySide6-Essentials that a widgets application never opens."""
QT_MODULES = (
    "QtCore",
    "QtDBus",
    "QtGui",
    "QtNetwork",
    "QtOpenGL",
    "QtOpenGLWidgets",
    "QtPrintSupport",
    "QtSvg",
    "QtSvgWidgets",
    "QtTest",
    "QtWidgets",
    "QtXml",
)
"""Modules of PySide6 that Ringscope and pyqtgraph import; of the libraries, what these, QtAds and the plugins load is kept."""

SYSTEM_LIBRARIES = re.compile(r"^(ld-linux|libc\.|libm\.|libpthread|libdl|librt|libutil|libresolv|libnsl|libcrypt\.|linux-vdso|libgcc_s|libstdc\+\+)")
"""Part of every glibc system: never bundled."""

LAUNCHER = """\
#!/bin/sh
# Starts the bundled Ringscope, wherever this folder lies.
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
export PYTHONHOME="$here/python" PYTHONNOUSERSITE=1 LD_LIBRARY_PATH="$here/python/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
unset PYTHONPATH
exec "$here/python/bin/python3" -c 'import sys; from ringscope.cli.main import main; sys.argv[0] = "ringscope"; sys.exit(main())' "$@"
"""


def say(text: str) -> None:
    """One line of progress."""
    print(f"  {text}", flush=True)


def run(command: list[str | Path]) -> None:
    """Run a command; CalledProcessError when it fails."""
    subprocess.run([str(part) for part in command], check=True, stdin=subprocess.DEVNULL)


def copy_python(target: Path) -> None:
    """The interpreter, its standard library and the libraries its extension modules use, except those of every system."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    stdlib = Path(sysconfig.get_path("stdlib"))
    lib = target / "lib" / version
    shutil.copytree(stdlib, lib, ignore=shutil.ignore_patterns(*STDLIB_LEFT_OUT), symlinks=False)
    platstdlib = Path(sysconfig.get_config_var("DESTSHARED") or stdlib / "lib-dynload")
    if platstdlib.is_dir() and not (lib / "lib-dynload").exists():
        shutil.copytree(platstdlib, lib / "lib-dynload")
    (target / "bin").mkdir(parents=True)
    shutil.copy2(Path(sys._base_executable).resolve(), target / "bin" / "python3")  # type: ignore[attr-defined]
    for library in sorted(linked_libraries([target / "bin" / "python3", *lib.joinpath("lib-dynload").glob("*.so")])):
        shutil.copy2(library, target / "lib" / library.name)


def linked_libraries(files: list[Path]) -> set[Path]:
    """What the loader would load for `files`, system libraries left out."""
    found: set[Path] = set()
    for file in files:
        listing = subprocess.run(["ldd", str(file)], check=False, capture_output=True, text=True).stdout
        for name, path in re.findall(r"^\s*(\S+) => (/\S+)", listing, re.MULTILINE):
            if not SYSTEM_LIBRARIES.match(name):
                found.add(Path(path).parent / name)
    return found


def install(target: Path, work: Path) -> None:
    """Build the wheel of this checkout and install it, with what it needs, into the bundle's site-packages."""
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    say("wheel of this checkout (compiles the core)")
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", work, ROOT])
    (wheel,) = work.glob("ringscope-*.whl")
    say(f"{wheel.name} and what it needs")
    site = target / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    run([*pip, "install", "--no-input", "--no-compile", "--target", site, wheel])
    trim_qt(site / "PySide6")
    shutil.rmtree(site / "bin", ignore_errors=True)


def trim_qt(folder: Path) -> None:
    """Drop what a widgets application never loads; the smoke test after it shows that nothing needed went."""
    for name in QT_LEFT_OUT:
        shutil.rmtree(folder / name, ignore_errors=True)
    for file in folder.glob("*"):
        module = file.name.split(".")[0]
        tool = file.is_file() and not file.suffix and os.access(file, os.X_OK)
        if tool or file.suffix == ".pyi" or (module.startswith("Qt") and file.is_file() and module not in QT_MODULES):
            file.unlink()
    libraries = folder / "Qt" / "lib"
    users = [*folder.glob("*.so*"), *(folder / "Qt" / "plugins").rglob("*.so"), *(folder.parent / "PySide6QtAds").glob("*.so")]
    wanted = {library.name for library in linked_libraries(users)}
    for library in libraries.glob("*.so*"):
        if library.name not in wanted:
            library.unlink()


def finish(bundle: Path) -> None:
    """Launcher, desktop files, licences."""
    launcher = bundle / "bin" / "ringscope"
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    share = bundle / "share"
    share.mkdir()
    for file in [*HERE.parent.glob("org.ringscope.*"), HERE.parent / "install_desktop.sh", ROOT / "resources" / "icons" / "ringscope.svg"]:
        shutil.copy2(file, share / file.name)
    for name in ("LICENSE", "README.md", "CHANGELOG.md"):
        shutil.copy2(ROOT / name, bundle / name)


def main() -> None:
    """Build, try, pack."""
    parser = argparse.ArgumentParser(description="Build a folder that runs Ringscope without installation, and its archive.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to put both")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "core"))
    from ringscope_core import __version__

    name = f"ringscope-{__version__}-{platform.system().lower()}-{platform.machine()}"
    bundle = options.out / name
    work = ROOT / "build" / "bundle"
    for old in (bundle, work):
        shutil.rmtree(old, ignore_errors=True)
    work.mkdir(parents=True)
    say(f"Python {platform.python_version()} into {bundle}")
    copy_python(bundle / "python")
    install(bundle / "python", work)
    finish(bundle)
    say("trying it")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(work), "QT_QPA_PLATFORM": "offscreen"}
    for arguments in (["--version"], ["run", "ping", "--headless", "--for", "100ms"], ["tour", "-o", str(work / "tour")]):
        command = [str(bundle / "bin" / "ringscope"), *arguments]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, cwd="/")
    archive = options.out / f"{name}.tar.xz"
    say(f"packing {archive.name}")
    with tarfile.open(archive, "w:xz", preset=3) as tar:
        tar.add(bundle, arcname=name)
    size_mb = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) >> 20
    say(f"{bundle}: {size_mb} MB; {archive}: {archive.stat().st_size >> 20} MB")


if __name__ == "__main__":
    main()
