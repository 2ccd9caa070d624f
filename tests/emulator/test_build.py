"""Building the native half: from the cache, by two processes at once, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from porter.emulator import build
from porter.errors import PorterError

EMPTY = """\
#include <Python.h>
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_device"};
PyMODINIT_FUNC PyInit__device() { return PyModule_Create(&module); }
"""


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="the emulator's tests need torch")


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small source file in place of the device's own, with a cache of its own."""
    folder = tmp_path / "csrc"
    folder.mkdir()
    monkeypatch.setattr(build, "SOURCES", folder)
    monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))
    return folder


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, build.NAME, raising=False)
    with pytest.raises(PorterError, match=r"needs torch .*; pip install 'porter\[emulator\]'"):
        build.load()


def test_without_a_compiler(torch, sources, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -O3")
    with pytest.raises(PorterError, match=r"^no no-such-compiler to build .* install g\+\+"):
        build.build(torch)


def test_without_ninja(torch, sources, monkeypatch):
    monkeypatch.setattr(build, "_path", lambda: "/nowhere")
    monkeypatch.setenv("CXX", sys.executable)
    with pytest.raises(PorterError, match=r"^no ninja to build .* pip install ninja"):
        build.build(torch)


def test_sources_that_do_not_compile(torch, sources):
    (sources / "device.cpp").write_text("int main() { return nothing; }\n")
    with pytest.raises(PorterError, match=r"does not build with torch .*nothing.*build\.log"):
        build.build(torch)
    assert [path.name for path in sources.parent.rglob("*.so")] == []


def test_a_cache_that_cannot_be_written(torch, sources, monkeypatch):
    (sources.parent / "file").write_text("")
    monkeypatch.setenv("PORTER_CACHE", str(sources.parent / "file"))
    with pytest.raises(PorterError, match="set PORTER_CACHE to another folder"):
        build.build(torch)


def test_two_processes_build_once(torch, sources):
    (sources / "device.cpp").write_text(EMPTY)
    code = (
        "import sys; from pathlib import Path; from porter.emulator import build; import torch\n"
        "build.SOURCES = Path(sys.argv[1])\n"
        "print(build.build(torch))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(sources)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    results = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    (library,) = {out.strip() for out, _ in results}
    assert sum("building the emulated device" in err for _, err in results) == 1
    assert sorted(path.name for path in Path(library).parent.iterdir()) == [
        "_device.so", "build.log", "lock",
    ]  # fmt: skip
    # Another source, another library; the first one stays.
    assert build.build(torch) == Path(library)
    (sources / "more.h").write_text("// changed\n")
    assert build._key(torch) != Path(library).parent.name


def test_a_process_that_used_the_accelerator_before():
    pytest.importorskip("torch", reason="the emulator's tests need torch")
    code = (
        "import torch; torch.accelerator.current_accelerator()\n"
        "from porter.emulator.build import load\n"
        "from porter.errors import PorterError\n"
        "try: load()\n"
        "except PorterError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "loaded too late" in run.stdout, run.stderr
