"""``pytest --hpu-emulator``: the test suite runs with the emulated device. Off unless asked for.

A test that the sanitizer reports something about fails, unless it is marked to expect that:

    @pytest.mark.hpu_reports("stream-race")
    @pytest.mark.hpu_budget(graphs=2, syncs=1, h2d_bytes=4096)
    def test_load(hpu_recording): ...

``hpu_recording`` is the Recording of the test itself: its body, without fixtures. A test with a
budget, with expected reports, or with the fixture is skipped where there is no emulator: without
it, it would check nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from porter.emulator.recording import Recording

_BUDGET: dict[str, Callable[[Recording], int]] = {
    "graphs": lambda recording: recording.graphs,
    "graphs_with_offsets": lambda recording: recording.graphs_with_offsets,
    "launches": lambda recording: recording.launches,
    "syncs": lambda recording: recording.syncs,
    "ops": lambda recording: recording.ops.total(),
    "peak_bytes": lambda recording: recording.peak_bytes,
    "h2d": lambda recording: recording.copies["h2d"].count,
    "d2h": lambda recording: recording.copies["d2h"].count,
    "d2d": lambda recording: recording.copies["d2d"].count,
    "h2d_bytes": lambda recording: recording.copies["h2d"].bytes,
    "d2h_bytes": lambda recording: recording.copies["d2h"].bytes,
    "d2d_bytes": lambda recording: recording.copies["d2d"].bytes,
}
_RECORDING = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("hpu").addoption(
        "--hpu-emulator",
        action="store_true",
        help="Run with Gaudi's hpu device on host memory, in child processes too.",
    )


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any conftest or test is imported, since they may touch the accelerator."""
    if not early_config.known_args_namespace.hpu_emulator:
        return
    from porter.emulator.install import emulated, install  # noqa: PLC0415
    from porter.errors import PorterError  # noqa: PLC0415

    try:
        install()
        os.environ.update(emulated(os.environ))
    except PorterError as error:
        raise pytest.UsageError(f"--hpu-emulator: {error}") from error


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        f"hpu_budget({', '.join(_BUDGET)}): the most that the test may use on the emulated HPU",
        "hpu_reports(*rules): what the sanitizer must report about the test, and nothing else",
    ):
        config.addinivalue_line("markers", line)


def pytest_runtest_setup(item: pytest.Item) -> None:
    asks = any(item.get_closest_marker(name) for name in ("hpu_budget", "hpu_reports"))
    if asks and not item.config.getoption("--hpu-emulator"):
        pytest.skip("has a budget or reports of the emulated HPU: needs --hpu-emulator")


@pytest.fixture
def hpu_recording(request: pytest.FixtureRequest) -> Recording:
    """What the test does on the emulated HPU; it begins when the test's body does."""
    if not request.config.getoption("--hpu-emulator"):
        pytest.skip("records the emulated HPU: needs --hpu-emulator")
    from porter.emulator.recording import Recording  # noqa: PLC0415

    recording = Recording()
    request.node.stash[_RECORDING] = recording
    return recording


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    if not item.config.getoption("--hpu-emulator"):
        yield
        return
    from porter.emulator.recording import Recording  # noqa: PLC0415

    if _RECORDING in item.stash:
        recording = item.stash[_RECORDING]
        recording.begin()
    else:
        recording = Recording()
    outcome: Any = yield
    recording.end()
    problems = [*_report_problems(item, recording), *_budget_problems(item, recording)]
    if problems and outcome.excinfo is None:
        outcome.force_exception(pytest.fail.Exception("\n".join(problems), pytrace=False))
    elif problems:
        item.add_report_section("call", "hpu emulator", "\n".join(problems))


def _report_problems(item: pytest.Item, recording: Recording) -> list[str]:
    expected = {rule for mark in item.iter_markers("hpu_reports") for rule in mark.args}
    problems = [str(report) for report in recording.reports if report.rule not in expected]
    missed = expected - {report.rule for report in recording.reports}
    return problems + [f"hpu_reports: {rule} was not reported" for rule in sorted(missed)]


def _budget_problems(item: pytest.Item, recording: Recording) -> list[str]:
    problems = []
    for mark in item.iter_markers("hpu_budget"):
        for name, allowed in mark.kwargs.items():
            if name not in _BUDGET:
                problems.append(f"hpu_budget: no {name}; there are {', '.join(_BUDGET)}")
            elif (used := _BUDGET[name](recording)) > allowed:
                problems.append(f"hpu_budget: {used} {name}, {allowed} allowed")
    return problems
