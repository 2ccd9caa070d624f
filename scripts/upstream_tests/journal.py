"""A pytest plugin that writes down what was collected and how each test went, line by line.

What is written stays, also where the process is killed later.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

FILE = "PORTER_JOURNAL"


def write(**line: object) -> None:
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if not report.passed:
        write(test=report.nodeid, outcome="uncollected", why=_why(report))


def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        write(test=item.nodeid, outcome="collected")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or not report.passed:
        write(test=report.nodeid, outcome=report.outcome, why=_why(report))


def _why(report: pytest.CollectReport | pytest.TestReport) -> str:
    """The line that says what was wrong."""
    if report.passed:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message).partition("\n")[0]
    lines = str(report.longrepr).splitlines()
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (errors or lines or [""])[-1 if errors else 0]
