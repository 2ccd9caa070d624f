"""``porter emulate``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import porter.emulator

SCHEMA = Path(porter.emulator.__path__[0]) / "report.schema.json"
pytest.importorskip("torch")


def emulate(*command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "porter", "emulate", *options, "--", *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_and_its_children_have_the_device() -> None:
    code = "import torch, habana_frameworks.torch; print(torch.ones(1, device='hpu').device)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    assert emulate(sys.executable, "-c", f"{code}; {parent}").stdout == "hpu:0\nhpu:0\n"


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_exit_code_is_that_of_the_command(script: str, code: int) -> None:
    assert emulate("sh", "-c", script).returncode == code


def test_options_after_the_command_are_its_own() -> None:
    assert emulate("echo", "--help", "-x").stdout == "--help -x\n"


def test_no_such_command() -> None:
    run = emulate("no-such-command")
    assert (run.returncode, run.stderr) == (2, "porter: no-such-command: no such command\n")


RACE = """\
import torch, habana_frameworks.torch
x = torch.ones(4, device="hpu")
with torch.hpu.stream(torch.hpu.Stream()):
    x.add_(1)
torch.hpu.synchronize()
"""
QUIET = """\
import torch, habana_frameworks.torch
y = torch.ones(4).to("hpu")
print((y + y).cpu().tolist())
"""


def reported(
    folder: Path, code: str, *options: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    program = folder / "program.py"
    program.write_text(code)
    file = folder / "report.json"
    run = emulate(sys.executable, str(program), options=("--report", str(file), *options))
    report = json.loads(file.read_text())
    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    return run, report


def test_a_fault_makes_the_exit_code_1(tmp_path: Path) -> None:
    run, report = reported(tmp_path, RACE)
    assert run.returncode == 1
    assert [(r["rule"], r["line"]) for r in report["reports"]] == [("stream-race", 4)]
    assert report["reports"][0]["file"] == str(tmp_path / "program.py")
    assert f"{tmp_path / 'program.py'}:4: stream-race: aten::add_.Tensor on stream 1" in run.stderr


def test_the_exit_code_of_the_command_comes_first(tmp_path: Path) -> None:
    run, report = reported(tmp_path, f"{RACE}raise SystemExit(7)")
    assert (run.returncode, len(report["reports"])) == (7, 1)


def test_a_rule_can_be_ignored(tmp_path: Path) -> None:
    run, report = reported(tmp_path, RACE, "--ignore", "stream-race")
    assert (run.returncode, report["reports"]) == (0, [])


def test_no_such_rule() -> None:
    run = emulate("true", options=("--ignore", "races"))
    assert run.returncode == 2
    assert run.stderr.startswith("porter: --ignore races: no such rule; they are read-in-flight,")


def test_what_ran(tmp_path: Path) -> None:
    run, report = reported(tmp_path, QUIET)
    assert run.returncode == 0
    (process,) = report["processes"]
    assert process["argv"] == [str(tmp_path / "program.py")]
    assert process["graphs"] == {"distinct": 1, "distinct_with_offsets": 1}
    assert (process["launches"], process["syncs"]) == (1, 1)
    assert process["ops"] == {"aten::add.Tensor": 1}
    assert [tuple(copy.values()) for copy in process["copies"]] == [
        ("h2d", 1, 16),
        ("d2h", 1, 16),
        ("d2d", 0, 0),
    ]
    assert report["totals"]["processes"] == report["totals"]["launches"] == 1
    assert "no evidence" in run.stderr


CHILDREN = f"""\
import multiprocessing, os, subprocess, sys
code = {RACE!r}
def child():
    exec(compile(code, __file__, "exec"), {{}})
if __name__ == "__main__":
    start = sys.argv[1] if len(sys.argv) > 1 else HOW
    if start == "subprocess":
        subprocess.run([sys.executable, "-c", code])
    elif start == "_exit":
        child()
        os._exit(0)
    elif start == "kill":
        child()
        os.kill(os.getpid(), 9)
    else:
        import torch, habana_frameworks.torch
        torch.ones(1, device="hpu")
        process = multiprocessing.get_context(start).Process(target=child)
        process.start()
        process.join()
"""


@pytest.mark.parametrize("how", ["subprocess", "fork", "spawn", "_exit"])
def test_however_a_process_begins_and_ends(tmp_path: Path, how: str) -> None:
    run, report = reported(tmp_path, CHILDREN.replace("HOW", repr(how)))
    assert run.returncode == 1, run.stderr
    assert [r["rule"] for r in report["reports"]] == ["stream-race"]
    assert all(process["ended"] for process in report["processes"])


def test_a_process_that_is_killed_leaves_what_it_had_found(tmp_path: Path) -> None:
    run, report = reported(tmp_path, CHILDREN.replace("HOW", "'kill'"))
    assert run.returncode == 137
    assert [r["rule"] for r in report["reports"]] == ["stream-race"]
    assert "killed before it could say what it did" in run.stderr


def test_both_sides_of_a_race(tmp_path: Path) -> None:
    _, report = reported(tmp_path, RACE, "--lines")
    assert f"({tmp_path / 'program.py'}:2)" in report["reports"][0]["message"]


@pytest.mark.parametrize(
    ("mode", "seen"), [("all", "[nan]"), ("pinned", "[1.0]"), ("off", "[1.0]")]
)
def test_which_copies_arrive_late(tmp_path: Path, mode: str, seen: str) -> None:
    code = """\
import torch, habana_frameworks.torch
host = torch.empty(1)
host.copy_(torch.ones(1, device="hpu"), non_blocking=True)
print(host.tolist())
"""
    run, report = reported(tmp_path, code, "--async", mode)
    assert run.stdout.strip() == seen
    assert [r["rule"] for r in report["reports"]] == ["read-in-flight"] * (mode == "all")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    run = emulate("touch", str(ran), options=("--report", str(tmp_path / "none" / "report.json")))
    assert run.returncode == 2
    assert run.stderr == f"porter: {tmp_path / 'none'}: no such folder to write --report into\n"
    assert not ran.exists()


def test_a_variable_that_makes_no_sense() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import porter.emulator as e; e.install()"],
        env={**os.environ, "PORTER_EMULATE_ASYNC": "maybe"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PORTER_EMULATE_ASYNC=maybe: must be one of all, pinned, off" in run.stderr
