"""The run rung, with a small package that moves pages, and with each of its possible faults."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from porter.progress import Progress
from porter.sources.tree import SourceTree
from porter.validate import run, trips
from porter.validate.rung import Outcome, Status

Make = Callable[..., SourceTree]
Climb = Callable[..., Outcome]
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")

PAGES = """\
import habana_frameworks.torch.core as htcore
import torch
from habana_frameworks.torch.utils.internal import is_lazy

print("noise")


def launch():
    if is_lazy():
        htcore.mark_step()


def ids(page):
    return torch.tensor([page]).to("hpu")


def store(pages, order, host):
    for number, page in enumerate(order):
        host[number : number + 1].copy_(pages.index_select(0, ids(page)), non_blocking=True)
    torch.hpu.synchronize()


def load(pages, order, host):
    for number, page in enumerate(order):
        pages.index_copy_(0, ids(page), host[number : number + 1].to("hpu", non_blocking=True))
        launch()
    torch.hpu.synchronize()
"""
TRIP = """\
import torch

from pkg.pages import load, store

PAGE = 4


def pages(tokens, width):
    return Trip(tokens, width)


class Trip:
    def __init__(self, tokens, width):
        count = -(-tokens // PAGE) + 1
        self.known = torch.arange(count * PAGE * width, dtype=torch.int32).view(count, PAGE, width)
        self.pages = torch.empty_like(self.known, device="hpu")
        self.block_bytes = PAGE * width * 4
        self.page_count = count

    def kv_bytes(self, tokens):
        return tokens * self.block_bytes // PAGE

    def index_bytes(self, tokens):
        return 8 * len(self.order(tokens))

    def order(self, tokens):
        return [self.page_count - 1 - page for page in range(-(-tokens // PAGE))]

    def fill(self):
        self.pages.copy_(self.known)

    def store(self, tokens):
        self.host = torch.zeros(len(self.order(tokens)), *self.known.shape[1:], dtype=torch.int32)
        store(self.pages, self.order(tokens), self.host)

    def stored(self, tokens):
        yield "host memory has", self.host, self.known[self.order(tokens)]

    def lose(self):
        self.pages.fill_(-1)

    def load(self, tokens):
        load(self.pages, self.order(tokens), self.host)

    def loaded(self, tokens):
        self.host.zero_()
        expected = torch.full_like(self.known, -1)
        expected[self.order(tokens)] = self.known[self.order(tokens)]
        yield "the pages have", self.pages, expected
"""
LIMITS = {"syncs": 1, "launches": 10, "bytes": 1.02, "graphs": 1, "padding": 1}
RUN: dict[str, Any] = {
    "name": "pages",
    "entry": "trip:pages",
    "prompt": {"tokens": 40, "kv": {"width": 128}},
    "prompts": {"count": 30, "longest": 40, "kv": {"width": 8}},
    "limits": {"store": LIMITS, "load": LIMITS},
}
RUNS = "pkg-1.0.dist-info/porter/runs"


@pytest.fixture
def one_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried is the same in both."""
    monkeypatch.setattr(trips, "_MODES", ("lazy",))


@pytest.fixture
def climb(make_wheel: Make) -> Climb:
    def climb(pages: str = PAGES, trip: str = TRIP, progress: Progress | None = None) -> Outcome:
        listed = {"schema_version": 1, "runs": [RUN]}
        return run.check(
            make_wheel(
                {
                    "pkg/__init__.py": "",
                    "pkg/pages.py": pages,
                    "pkg-1.0.dist-info/porter/run.json": json.dumps(listed),
                    f"{RUNS}/trip.py": trip,
                }
            ),
            progress,
        )

    return climb


def changed(old: str, new: str, text: str = PAGES) -> str:
    assert old in text
    return text.replace(old, new)


def line_of(part: str, text: str = PAGES) -> int:
    return text[: text.index(part)].count("\n") + 1


@needs_torch
def test_a_healthy_package(climb: Climb) -> None:
    outcome = climb()
    took = "1 sync, 10 launches, 1.00 x the bytes, 1 graph, 0.75 blocks of padding"
    eager = "1 sync, 1.00 x the bytes, 0.75 blocks of padding"
    assert outcome == Outcome(
        Status.PASSED,
        f"KV of 40 tokens out and back by pages, lazy and eager; one way at most {took}",
        notes=(
            f"pages, lazy: store {took}; load {took}",
            f"pages, eager: store {eager}; load {eager}",
        ),
    )


IN_STORE = "    torch.hpu.synchronize()\n\n\ndef load"
WAIT = "    torch.hpu.synchronize()\n"
AT_ONCE = """\
def store(pages, order, host):
    host.copy_(pages.index_select(0, torch.tensor(order).to("hpu")), non_blocking=True)
"""
HEAD, _, REST = PAGES.partition("def store")
FAULTS = {
    "a wrong bit on the way out": (
        changed(IN_STORE, "    torch.hpu.synchronize()\n    host[0, 1, 2] ^= 1\n\n\ndef load"),
        [rf"{RUNS}/trip\.py:8: pages, lazy: 40 tokens out: host memory has 1 of 5,120 elements "
         r"with other bits, the first at \[0, 1, 2\]"],
    ),
    "a page that is live is written": (
        changed("        launch()\n", "        launch()\n    pages[0, 0, 0] = 7\n"),
        [r"40 tokens back: the pages have 1 of 5,632 elements with other bits, .* \[0, 0, 0\]"],
    ),
    "a sync too many": (
        changed(IN_STORE, "    torch.hpu.synchronize()\n" + IN_STORE),
        [r"to store takes 2 syncs, 1 allowed; wait once for all that is moved, or mend \[budget\]"],
    ),
    "the host reads too early": (
        changed(IN_STORE, "    pass\n\n\ndef load"),
        [rf"{RUNS}/trip\.py:8: pages, lazy: read-in-flight: .*\(pkg/pages\.py:"
         rf"{line_of('host[number : number + 1].copy_')}\) still writes; synchronize",
         "40 tokens out: host memory has"],
    ),
    "the host lets go too early": (
        PAGES.removesuffix(WAIT),
        [rf"{RUNS}/trip\.py:{line_of('self.host.zero_', TRIP)}: pages, lazy: "
         r"overwritten-in-flight: "],
    ),
    "a graph for each length": (
        HEAD + AT_ONCE + WAIT + "\n\ndef load" + REST.partition("def load")[2],
        [r"to store takes \d+ graphs, 1 allowed; pad to few shapes"],
    ),
    "too many launches, bytes, and padding": (
        changed("for number, page in enumerate(order):\n        pages",
                "for number, page in 2 * list(enumerate(order)):\n        pages"),
        ["to load takes 20 launches, 10 allowed", "to load takes 2.0078 x the bytes, 1.02 allowed",
         r"to load takes \d+\.\d+ blocks of padding, 1 allowed"],
    ),
    "an exit": (
        changed("    for number", "    raise SystemExit\n    for number"),
        ["pages, lazy: SystemExit, while it takes 40 tokens"],
    ),
    "a crash": (
        changed("    for number", "    import os; os.abort()\n    for number"),
        [rf"{RUNS}/trip\.py:1: pages, lazy: ends the interpreter by SIGABRT"],
    ),
    "an import that fails": (
        changed("import torch\n", "import torch\nimport pkg.gone\n"),
        ["ModuleNotFoundError: No module named 'pkg.gone', while it imports what is run"],
    ),
}  # fmt: skip


@needs_torch
@pytest.mark.usefixtures("one_mode")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told(climb: Climb, fault: str) -> None:
    pages, told = FAULTS[fault]
    outcome = climb(pages)
    assert outcome.status is Status.FAILED
    failures = list(map(str, outcome.failures))
    assert all("\n" not in failure for failure in failures)
    for pattern in told:
        assert any(re.search(pattern, failure) for failure in failures), failures
    assert f"{len(failures)} failure" in outcome.summary


@needs_torch
def test_what_both_modes_show_is_told_once(climb: Climb) -> None:
    outcome = climb(FAULTS["a wrong bit on the way out"][0])
    (failure,) = outcome.failures
    assert failure.what.startswith("pages, lazy and eager: 40 tokens out")


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_an_exception_is_where_the_package_was(climb: Climb) -> None:
    pages = changed("        launch()", "        launch(page.gone)")
    (failure,) = climb(pages).failures
    assert (failure.path, failure.line) == ("pkg/pages.py", line_of("launch(page.gone)", pages))
    assert failure.what == (
        "pages, lazy: AttributeError: 'int' object has no attribute 'gone', "
        "while it takes 40 tokens out and back"
    )


@needs_torch
@pytest.mark.usefixtures("one_mode")
@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('yield "host', 'return\n        yield "host', "there is nothing to compare"),
        (
            "self.host, self.known",
            "self.host.long(), self.known",
            "torch.int64 and not (10, 4, 128)",
        ),
        ("def pages(", "def leaves(", "AttributeError: module 'trip' has no attribute 'pages'"),
        ("import torch\n", "import torch, trip.helper\n", "'trip' is not a package"),
    ],
)
def test_a_faulty_trip_is_told(climb: Climb, old: str, new: str, what: str) -> None:
    outcome = climb(trip=changed(old, new, TRIP))
    assert outcome.status is Status.FAILED
    assert what in str(outcome.failures[0])


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_a_hang_is_told_with_its_place(climb: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trips, "_TIMEOUT", 10.0)
    monkeypatch.setattr(trips, "_GRACE", 120.0)
    pages = "import time\n" + changed("    for number", "    time.sleep(600)\n    for number")
    (failure,) = climb(pages).failures
    assert (failure.path, failure.line) == ("pkg/pages.py", line_of("time.sleep", pages))
    assert failure.what == (
        "pages, lazy: takes more than 10 s, while it takes 40 tokens out and back"
    )


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_a_hang_that_no_signal_ends(climb: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trips, "_TIMEOUT", 2.0)
    monkeypatch.setattr(trips, "_GRACE", 8.0)
    deaf = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])"
    pages = changed(
        "    for number", f"    {deaf}\n    import time; time.sleep(600)\n    for number"
    )
    (failure,) = climb(pages).failures
    assert failure.what.startswith("pages, lazy: takes more than 2 s, while it ")


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_a_third_party_that_is_missing(climb: Climb) -> None:
    outcome = climb(changed("import torch\n", "import torch\nimport no_such_package.sub\n"))
    assert outcome == Outcome(Status.NOT_RUN, "needs no_such_package, which is not installed")


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_a_name_that_the_bridge_has_not_is_the_package_s_fault(climb: Climb) -> None:
    outcome = climb(changed("import torch\n", "import torch\nimport habana_frameworks.gone\n"))
    assert outcome.status is Status.FAILED


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_a_question_about_cuda_is_a_note(climb: Climb) -> None:
    question = "    torch.cuda.is_available()\n    for number"
    outcome = climb(changed("    for number", question))
    assert outcome.status is Status.PASSED
    assert any("pkg/pages.py:" in note and "cuda-probe" in note for note in outcome.notes)


@needs_torch
@pytest.mark.usefixtures("one_mode")
def test_the_environment_does_not_weaken_it(climb: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTER_EMULATE_SANITIZER", "0")
    monkeypatch.setenv("PORTER_EMULATE_ASYNC", "off")
    assert climb(FAULTS["the host lets go too early"][0]).status is Status.FAILED


@needs_torch
def test_progress_is_in_prompts(climb: Climb) -> None:
    seen: list[tuple[int, int | None]] = []
    climb(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][1] == 31 + 4  # in eager mode every tenth of the lengths
    assert seen[-1][0] <= 35
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@needs_torch
def test_no_device_no_rung(tmp_path: Path, climb: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = tmp_path / "site" / "habana_frameworks"
    bridge.mkdir(parents=True)
    (bridge / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(bridge.parent))
    outcome = climb()
    assert outcome.status is Status.NOT_RUN
    assert "Intel's habana_frameworks" in outcome.summary


def test_without_torch(climb: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is for an environment without torch, which this one may not be."""
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    assert climb() == Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")


def test_a_package_that_runs_nothing(make_tree: Make) -> None:
    outcome = run.check(make_tree({"a.py": ""}))
    assert outcome == Outcome(Status.NOT_RUN, "the package lists nothing to run")
