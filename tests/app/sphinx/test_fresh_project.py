"""What a new user does: the wheel into an environment of its own, ``sphinx-quickstart``, the extension, the four directives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="Sphinx is not installed (extra sphinx)")
# asked of the file system: an import of pip, or a look for it, changes what setuptools finds in the tests after
HAS_PIP = (Path(sysconfig.get_path("purelib")) / "pip").is_dir()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_PIP, reason="pip, which installs the wheel, is not there")]

ROOT = Path(__file__).resolve().parents[3]
PAGE = """
Fresh
=====

.. ringscope-figure:: default
   :view: rings
   :name: rings

   The rings.

.. ringscope-transcript:: realize
   :at: break:virtio_net_device_realize

   bt 3

.. ringscope-types::
   :form: list

.. ringscope-session:: realize

See :numref:`rings`, :qom:`virtio-net-device`, :qemu:`virtio_init`.
"""


class Fresh:
    """An environment that knows the wheel, the libraries it needs, and nothing of the checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "env" / "bin" / "python"
        # no settings of ours, no search path of ours
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RINGSCOPE", "QT_"))}

    def run(self, *args: str) -> str:
        """Run the environment's Python; gives what it printed."""
        done = subprocess.run([str(self.python), *args], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _wheel(folder: Path) -> Path:
    """The wheel, with the core as sources: to compile it takes minutes, and its words are the same."""
    steps = ["egg_info", "--egg-base", str(folder), "build", "--build-base", str(folder / "build"), "bdist_wheel", "--dist-dir", str(folder)]
    environment = {**os.environ, "RINGSCOPE_SKIP_COMPILE": "1"}
    subprocess.run([sys.executable, "setup.py", "-q", *steps], cwd=ROOT, env=environment, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """The wheel in an environment of its own.  Libraries are those of the environment that tests run in: nothing is downloaded."""
    folder = tmp_path_factory.mktemp("fresh")
    found = Fresh(folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True, env=found.environment)
    wheel = _wheel(folder)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(found.python), "install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)],
        check=True,
        cwd=folder,
        env=found.environment,
    )
    site = Path(found.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "libraries.pth").write_text("\n".join(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))) + "\n")
    return found


def test_nothing_comes_from_the_checkout(fresh: Fresh) -> None:
    """The packages are the wheel's, and importing the extension imports neither Qt nor Sphinx."""
    names = "ringscope.sphinx.__file__, ringscope_core.__file__, ringscope_resources.__file__"
    said = fresh.run("-c", f"import sys, ringscope.sphinx, ringscope_core, ringscope_resources; print({names}); print(*sys.modules)")
    places, modules = said.splitlines()
    assert all(place.startswith(str(fresh.folder / "env")) for place in places.split())
    assert not {"PySide6", "sphinx"} & set(modules.split())
    assert str(ROOT) not in fresh.run("-c", "import sys; print(*sys.path)").split()


def test_a_fresh_project(fresh: Fresh) -> None:
    """It builds without a warning, holds what the directives promise, and draws nothing twice."""
    project = fresh.folder / "my docs"
    fresh.run("-m", "sphinx.cmd.quickstart", "-q", "-p", "Fresh", "-a", "Somebody", "-v", "1", "--extensions", "ringscope.sphinx", str(project))
    with (project / "conf.py").open("a") as conf:
        conf.write("numfig = True\n")
    (project / "index.rst").write_text(PAGE)
    build = ("-m", "sphinx", "-M", "html", str(project), str(project / "_build"), "-W")
    assert "ringscope: 1 figures drawn, 0 reused" in fresh.run(*build)
    html = project / "_build" / "html"
    page = (html / "index.html").read_text()
    image = re.search(r'src="(_images/rings-\w+\.svg)"', page)
    assert image is not None and (html / image[1]).stat().st_size > 10_000
    session = re.search(r'href="(_downloads/\w+/realize\.ringscope)"', page)
    assert session is not None and (html / session[1]).stat().st_size > 10_000
    assert "Fig. 1" in page and 'href="#qom-virtio-net-device"' in page and "virtio_device_realize" in page and "hw/virtio/virtio.c:2329" in page
    assert "ringscope: 0 figures drawn, 1 reused" in fresh.run(*build, "-E")
    # pictures for print, from the same recordings
    said = fresh.run("-m", "sphinx", "-M", "latex", str(project), str(project / "_build"), "-W")
    assert "ringscope: 1 figures drawn, 0 reused" in said
    assert next((project / "_build" / "latex").glob("rings-*.pdf")).read_bytes().startswith(b"%PDF")
