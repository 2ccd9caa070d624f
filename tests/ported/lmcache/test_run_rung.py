"""The run rung with real ported releases of LMCache, whole and broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.sources.tree import Kind, SourceTree
from porter.validate import trips
from porter.validate.run import check
from porter.validate.rung import Outcome, Status

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")

Port = Callable[[str], Path]


def climbed(root: Path) -> Outcome:
    outcome = check(SourceTree(root, Kind.WHEEL, root.name))
    if outcome.status is Status.NOT_RUN:
        pytest.skip(outcome.summary)
    return outcome


@pytest.mark.parametrize(
    ("release", "runs"),
    [
        ("0.3.9.post2", "paged V2, layerwise, blending"),
        pytest.param(
            "0.5.6", "paged V2, paged V3, layerwise, blending", marks=pytest.mark.slow, id="0.5.6"
        ),
    ],
)
def test_the_connectors_are_within_the_budget(port: Port, release: str, runs: str) -> None:
    outcome = climbed(port(release))
    assert outcome.failures == ()
    assert outcome.summary.startswith(f"KV of 32,768 tokens out and back by {runs}, lazy and eager")
    for run in runs.split(", "):
        assert any(note.startswith(f"{run}, lazy: store") for note in outcome.notes)


def smaller(document: dict[str, Any], name: str) -> dict[str, Any]:
    """One run, and enough of it for a fault to show."""
    document["runs"] = [run for run in document["runs"] if run["name"] == name]
    for run in document["runs"]:
        run["prompt"] = {"tokens": 1500, "kv": {**run["prompt"]["kv"], "layers": 2}}
        run["prompts"]["count"] = 30
    return document


BREAKS = {
    "keys and values swapped": (
        "paged V2",
        "transfer.py",
        "kinds = range(len(first.planes))",
        "kinds = reversed(range(len(first.planes)))",
        "elements with other bits",
    ),
    "nothing waits": ("paged V2", "transfer.py", "        wait()\n", "", "read-in-flight: "),
    "nothing waits for an event": (
        "layerwise",
        "connectors/in_flight.py",
        "layers[-1].done.synchronize()",
        "pass",
        "overwritten-in-flight: ",
    ),
    "padding in a live block": (
        "layerwise",
        "slots.py",
        "np.repeat(slots[part][-1:], rows - live)",
        "np.repeat(slots[part][:1] ^ 1, rows - live)",
        "elements with other bits",
    ),
    "as many rows as there are": (
        "paged V2",
        "slots.py",
        "np.repeat(slots[part][-1:], rows - live)",
        "slots[:0]",
        "graphs, 4 allowed",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("broken", BREAKS)
def test_what_is_broken_shows(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(trips, "_MODES", ("lazy",))
    run, name, old, new, told = BREAKS[broken]
    root = shutil.copytree(port("0.3.9.post2"), tmp_path / "site")
    (listed,) = root.glob("*.dist-info/porter/run.json")
    listed.write_text(json.dumps(smaller(json.loads(listed.read_text()), run)))
    path = root / "lmcache" / "hpu" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert any(told in str(failure) for failure in climbed(root).failures), broken
