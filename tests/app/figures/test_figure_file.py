"""A file of figures: the words of the command line in tables, and errors that name their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope.figures.figure_file import read_figures
from ringscope.figures.shots import Film, parse_fps, parse_speed
from ringscope.figures.spec import Callout, FigureSpec, TextSpec
from ringscope_core.scenario.errors import InputError

GOOD = """
[defaults]
source = "default"
size = [1200, 700]
theme = ["light", "dark"]
folder = "img"
layout = "layout.json"
at = "100ms"

[[figure]]
output = ["rings-{theme}.svg", "rings-{theme}.pdf"]
view = "rings"
focus = "net0.tx0"
callout = ["desc:5:the head", "head:of the chain"]
set = ["driver.napi_tx=true"]
device = "virtio-net-pci,netdev=hostnet0,id=net1"
seed = 7

[[figure]]
name = "stack"
output = "bt.rst"
text = '''
bt
p *n
'''
at = "break:virtio_net_device_realize"

[[figure]]
source = "own.toml"
output = "table.md"
view = "events"
filter = "kind == kick"
lang = ["zh"]

[[figure]]
output = "move.webp"
view = "timeline"
theme = "light"
scale = 2
from = "1ms"
fps = 20
speed = "1e-3x"
every = "packet"
once = true
"""


def written(tmp_path: Path, text: str) -> Path:
    """The text as a file."""
    path = tmp_path / "figures.toml"
    path.write_text(text)
    return path


def test_a_file_becomes_jobs(tmp_path: Path) -> None:
    """A file for each output and theme, with defaults where a figure says nothing, and paths as seen from the file."""
    jobs = read_figures(written(tmp_path, GOOD))
    names = [job.output.relative_to(tmp_path / "img").as_posix() for job in jobs]
    assert names == ["rings-light.svg", "rings-dark.svg", "rings-light.pdf", "rings-dark.pdf", "bt.rst", "table.md", "move.webp"]
    first = jobs[0].spec
    assert isinstance(first, FigureSpec)
    callouts = (Callout("desc:5", "the head"), Callout("head", "of the chain"))
    assert first == FigureSpec("default", "rings", "net0.tx0", "100ms", size=(1200, 700), callouts=callouts)
    assert jobs[1].spec == first.with_(theme="dark")
    assert jobs[0].settings == ("driver.napi_tx=true", "device=virtio-net-pci,netdev=hostnet0,id=net1", "seed=7")
    assert jobs[4].spec == TextSpec("default", ("bt", "p *n"), at="break:virtio_net_device_realize")
    assert (jobs[4].name, jobs[4].where) == ("stack", "figures.toml:19")
    assert jobs[5].spec == TextSpec(str(tmp_path / "own.toml"), view="events", at="100ms", lang="zh", filter="kind == kick")
    assert jobs[6].film == Film("1ms", "end", parse_fps("20", ".webp"), parse_speed("1e-3x"), "packet", True)
    assert isinstance(jobs[6].spec, FigureSpec)
    assert jobs[6].spec.scale == 2.0


ONE = '[defaults]\nsource = "default"\n\n[[figure]]\noutput = "a.svg"\nview = "rings"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ONE + 'sise = "800x600"\n', "figures.toml:7: figure 1 (a.svg): sise: 'sise' is not allowed; one of name, output,"),
        (ONE + 'sise = "800x600"\n', "(did you mean size?)"),
        (ONE + 'size = "big"\n', "figures.toml:7: figure 1 (a.svg): size: 'big' is not allowed; WIDTHxHEIGHT from 120x80"),
        (ONE + "size = [1]\n", 'figures.toml:7: figure 1 (a.svg): size: [1] is not allowed; "WIDTHxHEIGHT" or [WIDTH, HEIGHT]'),
        (ONE + "at = 5\n", "figures.toml:7: figure 1 (a.svg): at: 5 is not allowed; a text"),
        (ONE + 'scale = "much"\n', "figures.toml:7: figure 1 (a.svg): scale: 'much' is not allowed; a number"),
        (ONE + "callout = [1]\n", "figures.toml:7: figure 1 (a.svg): callout: [1] is not allowed; a text or a list of texts"),
        (ONE + 'callout = "nothing"\n', "figures.toml:7: figure 1 (a.svg): callout: 'nothing' is not allowed; TARGET:TEXT"),
        (ONE + "seed = -1\n", "figures.toml:7: figure 1 (a.svg): seed: -1 is not allowed; a whole number from 0"),
        (ONE + 'text = "bt"\n', "figures.toml:7: figure 1 (a.svg): text: 'bt' is not allowed; given with an output file"),
        (ONE + 'from = "1ms"\n', "figures.toml:7: figure 1 (a.svg): from: '1ms' is not allowed; given with an animation only"),
        (ONE.replace("rings", "ring"), "figures.toml:6: figure 1 (a.svg): view: 'ring' is not allowed; one of window,"),
        (ONE.replace("a.svg", "a.jpg"), "figures.toml:5: figure 1 (a.jpg): output: 'a.jpg' is not allowed; a file name ending in"),
        (ONE.replace("a.svg", "{name}.svg"), "output: '{name}.svg' is not allowed; {theme} and {lang} in braces"),
        (ONE.replace("a.svg", "a.gif") + 'fps = "many"\n', "figures.toml:7: figure 1 (a.gif): fps: 'many' is not allowed; "),
        (ONE.replace("a.svg", "a.gif") + "once = 1\n", "figures.toml:7: figure 1 (a.gif): once: 1 is not allowed; true or false"),
        (
            ONE + '\n[[figure]]\nname = "b"\noutput = "a.svg"\nview = "types"\n',
            "figures.toml:8: output: 'a.svg' is not allowed; different from that of figures.toml:4",
        ),
        (
            ONE + '\n[[figure]]\nname = "a"\noutput = "b.svg"\nview = "types"\n',
            "figures.toml:8: name: 'a' is not allowed; different from that of figures.toml:4",
        ),
        (ONE + 'theme = ["light", "dark"]\n', "{theme} and {lang} tell variants apart"),
        (ONE.replace('source = "default"', 'output = "x.svg"'), "figures.toml:2: defaults: 'output' is not allowed; one of source,"),
        (
            ONE.replace('source = "default"', 'theme = "blue"\nsource = "default"'),
            "figures.toml:2: defaults: theme: 'blue' is not allowed; one of light, dark, print",
        ),
        (ONE.replace('source = "default"', ""), "figure 1 (a.svg): source: '' is not allowed; a scenario or a session"),
        ("figures = 1\n" + ONE, "figures.toml:1: figures: 1 is not allowed; one of defaults, figure (did you mean figure?)"),
        ("[defaults]\n", "a file with at least one [[figure]] table"),
        ("[[figure]\n", "is not allowed; a TOML file ("),
        ("figure = 3\n", "a file with at least one [[figure]] table"),
        ("figure = [3]\n", "figure 1: 3 is not allowed; a table"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    """File, line, figure, key, value, and what is allowed; on one line."""
    with pytest.raises(InputError) as caught:
        read_figures(written(tmp_path, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    """Missing, not a text, a folder."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.toml", "bytes.toml", "."):
        with pytest.raises(InputError, match=r"^file: "):
            read_figures(tmp_path / name)
