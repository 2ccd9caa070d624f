"""Files that are hard to read: rewritten or reported, their bytes whole or untouched."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from porter.cli import main

Porter = Callable[..., Result]

#: Before and after, but for the import of the bridge; the same where the file is only reported.
REWRITTEN = {
    "mixed line ends": (
        b"import torch\r\nx = 1\rtorch.cuda.synchronize()\n",
        b"torch.hpu.synchronize()\n",
    ),
    "tabs": (
        b"import torch\nif x:\n\ttorch.cuda.synchronize()\n",
        b"\n\ttorch.hpu.synchronize()\n",
    ),
    "BOM": (
        b"\xef\xbb\xbfimport torch\ntorch.cuda.synchronize()\n",
        b"\ntorch.hpu.synchronize()\n",
    ),
    "form feeds": (
        b"import torch\n\x0c\n\x0cs = '\x0c'; torch.cuda.synchronize()\n",
        b"\n\x0c\n\x0cs = '\x0c'; torch.hpu.synchronize()\n",
    ),
    "no line end": (b"import torch\ntorch.cuda.synchronize()", b"\ntorch.hpu.synchronize()"),
    "match": (
        b"match device:\n    case 'cuda' | 'cpu': pass\n    case _: x.cuda()\n",
        b"    case 'hpu' | 'cpu': pass\n    case _: x.to(\"hpu\")\n",
    ),
    "nested f-strings": (
        b"import torch\ns = f\"{f'{torch.cuda.current_device()}'}\"\n",
        b"s = f\"{f'{torch.hpu.current_device()}'}\"\n",
    ),
    "one megabyte": (
        b"import torch\ntorch.cuda.synchronize()\n" + b"x = [1, 2, 3]  # padding\n" * 42_000,
        b"torch.hpu.synchronize()\nx = [1, 2, 3]",
    ),
    "deep calls": (
        b"import torch\nx = " + b"f(" * 80 + b"torch.cuda.device_count()" + b")" * 80 + b"\n",
        b"(torch.hpu.device_count())",
    ),
    "an if of many arms": (
        b"import torch\nif x == 0: pass\n"
        + b"".join(b"elif x == %d: pass\n" % n for n in range(700))
        + b"torch.cuda.synchronize()\n",
        b"\ntorch.hpu.synchronize()\n",
    ),
}
REPORTED = {
    "Python 2": b"import torch\nprint torch.cuda.device_count()\n",
    "a NUL byte": b"import torch\ntorch.cuda.synchronize()\0\n",
    "UTF-16": "import torch\ntorch.cuda.synchronize()\n".encode("utf-16") + b"cuda",
    "a wrong cookie": b"# coding: nonsense\nimport torch\ntorch.cuda.synchronize()\n",
    "not of its encoding": b"import torch\ntorch.cuda.synchronize()  # \xff\n",
    "brackets without end": b"import torch\nx = " + b"(" * 5000 + b"torch.cuda.Stream()\n",
    "signs without end": b"import torch\nx = " + b"-" * 60_000 + b"torch.cuda.Stream()\n",
    "a chain without end": b"import torch\nx = torch.cuda" + b".x" * 60_000 + b"\n",
    "a sum without end": b"import torch\nx = torch.cuda.y" + b" + 1" * 60_000 + b"\n",
}
NEWER = {
    "except*": (b"try:\n    pass\nexcept* ValueError:\n    x.cuda()\n", (3, 11)),
    "generics": (b"def f[T](x: T) -> T:\n    return x.cuda()\n", (3, 12)),
    "a type statement": (b"type Device = str\nx.cuda()\n", (3, 12)),
    "quotes within their like": (b'x = f"{y["cuda:0"]}"\ny.cuda()\n', (3, 12)),
}


@pytest.fixture
def porter() -> Porter:
    def invoke(*arguments: object) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code in (0, 1, 2), result.output
        assert "Traceback" not in result.output
        return result

    return invoke


def findings(porter: Porter, folder: Path) -> list[dict[str, object]]:
    document = json.loads(porter("scan", folder, "--format", "json").stdout)
    assert document["summary"]["unaccounted"] == 0
    return [finding for file in document["files"] for finding in file["findings"]]


@pytest.mark.parametrize("name", REWRITTEN)
def test_it_is_rewritten(porter: Porter, tmp_path: Path, name: str) -> None:
    before, piece = REWRITTEN[name]
    (file := tmp_path / "m.py").write_bytes(before)
    assert porter("rewrite", tmp_path, "--write").exit_code == 0
    after = file.read_bytes()
    assert piece in after
    assert before.startswith(b"\xef\xbb\xbf") == after.startswith(b"\xef\xbb\xbf")
    assert porter("undo", tmp_path).exit_code == 0
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", REPORTED)
def test_it_is_reported_and_stays(porter: Porter, tmp_path: Path, name: str) -> None:
    (file := tmp_path / "m.py").write_bytes(REPORTED[name])
    (tmp_path / "other.py").write_text("import torch\ntorch.cuda.synchronize()\n")
    said = [finding for finding in findings(porter, tmp_path) if finding["rule"] == "HPU004"]
    assert len(said) == 1 and "\n" not in str(said[0]["message"])
    result = porter("rewrite", tmp_path, "--write")
    assert result.exit_code == 0
    assert result.stderr.count("porter: m.py: ") == 1
    assert file.read_bytes() == REPORTED[name]
    assert "torch.hpu.synchronize()" in (tmp_path / "other.py").read_text()


@pytest.mark.parametrize("name", NEWER)
def test_newer_syntax_is_rewritten_or_reported(porter: Porter, tmp_path: Path, name: str) -> None:
    code, since = NEWER[name]
    (file := tmp_path / "m.py").write_bytes(code)
    rules = {finding["rule"] for finding in findings(porter, tmp_path)}
    result = porter("rewrite", tmp_path, "--write")
    if sys.version_info >= since:
        assert "HPU004" not in rules and b'.to("hpu")' in file.read_bytes()
    else:
        assert rules == {"HPU004"} and file.read_bytes() == code
        assert result.stderr.count("porter: m.py: ") == 1 and "as Python 3." in result.stderr


def test_links_that_lead_nowhere(porter: Porter, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import torch\ntorch.cuda.synchronize()\n")
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert len(findings(porter, tmp_path)) == 1
    assert porter("rewrite", tmp_path, "--write").exit_code == 0
    assert (tmp_path / "loop.py").is_symlink() and (tmp_path / "gone.py").is_symlink()


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (file := tmp_path / "m.py").write_text("x.cuda()\n")
    file.chmod(0)

    def obey() -> None:
        """Root reads everything by two capabilities, which the new program is to lack."""
        if os.geteuid() == 0:
            libc = ctypes.CDLL(None)
            for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
                libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP

    def porter(*arguments: object) -> str:
        run = subprocess.run(
            [sys.executable, "-B", "-m", "porter", *map(str, arguments)],
            preexec_fn=obey,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode in (0, 1) and "Traceback" not in run.stderr, run.stderr
        return run.stdout

    document = json.loads(porter("scan", tmp_path, "--format", "json"))
    (said,) = document["files"][0]["findings"]
    assert said["rule"] == "HPU004" and "Permission denied" in said["message"]
    porter("rewrite", tmp_path, "--write")
    assert file.stat().st_mode & 0o777 == 0


@pytest.mark.parametrize(
    ("way", "kept"),
    [
        (["--write"], "every file is as it was"),
        (["--output", "out"], "nothing is left of the copy"),
        (["--patch", "long.patch"], "every file is as it was"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_disk_that_is_full_in_the_middle(tmp_path: Path, way: list[str], kept: str) -> None:
    """The system itself refuses: no file of the process may grow beyond 40 kB."""
    (source := tmp_path / "source").mkdir()
    small, large = (source / f"{name}.py" for name in ("a", "b"))
    small.write_text("import torch\ntorch.cuda.synchronize()\n")
    large.write_text("import torch\n" + "torch.cuda.synchronize()\n" * 2000)
    (tmp_path / "long.patch").write_text("an older one\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    run = subprocess.run(
        [sys.executable, "-B", "-m", "porter", "rewrite", "source", *way],
        preexec_fn=limit,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert run.stderr.startswith("porter: ") and run.stderr.count("\n") == 1
    assert kept in run.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.patch", "source"]


@pytest.mark.parametrize("command", ["scan", "rewrite", "port"])
@pytest.mark.parametrize("name", ["acme-1.0-py3-none-any.whl", "acme-1.0.tar.gz"])
def test_a_corrupt_archive(porter: Porter, tmp_path: Path, command: str, name: str) -> None:
    (archive := tmp_path / name).write_bytes(b"PK\3\4 not really")
    more = ["-o", tmp_path / "out"] if command == "port" else []
    result = porter(command, archive, *more)
    assert result.exit_code == 2
    assert name in result.stderr and result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("command", ["scan", "rewrite", "port"])
def test_no_network(
    porter: Porter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    more = ["-o", tmp_path / "out"] if command == "port" else []
    result = porter(command, "lmcache==0.3.9", *more)
    assert result.exit_code == 2
    assert "lmcache==0.3.9" in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
