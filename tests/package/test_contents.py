"""porter.package.contents: what lies in the ported wheel."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import porter.package
import porter.report
from porter.package.build import port
from porter.package.contents import executables, info_folder, wheel_files, wheel_name
from porter.package.ported import Ported
from porter.package.recipe import Recipe
from porter.package.release import Release
from porter.report.json import to_json
from porter.rulebook import default_rulebook

INFO = "tinykv-1.2+hpu.1.dist-info"


def test_the_name_says_version_and_that_any_machine_will_do(ported: Ported) -> None:
    assert wheel_name(ported) == "tinykv-1.2+hpu.1-py3-none-any.whl"
    assert info_folder(ported) == INFO


def test_all_files_are_there_and_no_others(ported: Ported) -> None:
    files = wheel_files(ported)
    assert {name for name in files if not name.startswith(INFO)} == set(ported.files)
    assert {name.removeprefix(f"{INFO}/") for name in files if name.startswith(INFO)} == {
        "METADATA",
        "PORTED.md",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "porter/environment.json",
        "porter/findings.json",
        "porter/remaining.json",
    }


def test_the_licence_is_upstream_s(ported: Ported) -> None:
    assert wheel_files(ported)[f"{INFO}/licenses/LICENSE"] == b"Do as you like.\n"


def test_the_wheel_is_pure(ported: Ported) -> None:
    lines = wheel_files(ported)[f"{INFO}/WHEEL"].decode().splitlines()
    assert "Root-Is-Purelib: true" in lines
    assert [line for line in lines if line.startswith("Tag:")] == ["Tag: py3-none-any"]
    assert any(line.startswith("Generator: porter ") for line in lines)


def test_entry_points_are_upstream_s_and_the_recipe_s(ported: Ported) -> None:
    text = wheel_files(ported)[f"{INFO}/entry_points.txt"].decode()
    assert "tinykv = tinykv.connector:load" in text
    assert "hpu = tinykv.hpu.kernels:register" in text


def test_findings_follow_the_schema(ported: Ported) -> None:
    schema = json.loads((Path(porter.report.__path__[0]) / "findings.schema.json").read_text())
    document = json.loads(wheel_files(ported)[f"{INFO}/porter/findings.json"])
    jsonschema.validate(document, schema)
    assert document["summary"]["unaccounted"] == 0


def test_what_remains_is_in_the_shape_of_the_findings(ported: Ported) -> None:
    document = json.loads(wheel_files(ported)[f"{INFO}/porter/remaining.json"])
    schema = Path(porter.package.__path__[0]) / "remaining.schema.json"
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert document.pop("native_modules") == ["tinykv.kernels"]
    assert document.pop("routed_modules") == ["tinykv.hpu.kernels"]
    assert document.pop("programs") == []
    assert document == to_json(ported.remaining)
    schema = json.loads((Path(porter.report.__path__[0]) / "findings.schema.json").read_text())
    jsonschema.validate(document, schema)


def test_what_may_be_run_stays_so(ported: Ported) -> None:
    assert executables(ported) == {"tinykv/data/run.sh"}


@pytest.mark.parametrize("file", ["scripts/tinykv-top", "data/share/tinykv/a.txt"])
def test_the_data_folder_takes_the_new_name(tiny: Any, file: str) -> None:
    path = tiny.tree.root / "tinykv-1.2.data" / file
    path.parent.mkdir(parents=True)
    path.write_text("x")
    ported = port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook())
    names = wheel_files(ported).keys()
    assert f"tinykv-1.2+hpu.1.data/{file}" in names
    assert f"tinykv-1.2.data/{file}" not in names


def test_without_entry_points_there_is_no_file_for_them(tiny: Any) -> None:
    (tiny.tree.root / "tinykv-1.2.dist-info" / "entry_points.txt").unlink()
    text = tiny.recipe.read_text()
    tiny.recipe.write_text(text[: text.index("[entry_points")] + text[text.index("[environment") :])
    ported = port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook())
    assert f"{INFO}/entry_points.txt" not in wheel_files(ported)


def test_what_others_call_is_listed(tiny: Any) -> None:
    contract = (
        '[[contract]]\nclass = "tinykv.hpu.kernels:Kind"\nbase = "enum:Enum"\nown = ["name"]\n'
    )
    tiny.recipe.write_text(tiny.recipe.read_text() + contract)
    ported = port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook())
    document = json.loads(wheel_files(ported)[f"{INFO}/porter/contract.json"])
    schema = Path(porter.package.__path__[0]) / "contract.schema.json"
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert document["contracts"] == [
        {"class": "tinykv.hpu.kernels:Kind", "base": "enum:Enum", "own": ["name"]}
    ]


def test_what_it_is_imported_beside_is_named(ported: Ported) -> None:
    document = json.loads(wheel_files(ported)[f"{INFO}/porter/environment.json"])
    schema = Path(porter.package.__path__[0]) / "environment.schema.json"
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert document["packages"] == {"vllm": str(ported.recipe.vllm)}


def test_what_is_run_comes_along(tiny: Any) -> None:
    runs = tiny.recipe.parent / "runs"
    runs.mkdir()
    (runs / "trip.py").write_text("import tinykv\n")
    (runs / "helper.py").write_text("PAGE = 4\n")
    row = '[[run]]\nname = "pages"\nentry = "trip:pages"\n[budget]\ntokens = 40\nsyncs = 1\n'
    tiny.recipe.write_text(tiny.recipe.read_text() + row)
    ported = port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook())
    files = wheel_files(ported)
    document = json.loads(files[f"{INFO}/porter/run.json"])
    schema = Path(porter.package.__path__[0]) / "run.schema.json"
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert [item["entry"] for item in document["runs"]] == ["trip:pages"]
    assert files[f"{INFO}/porter/runs/trip.py"] == b"import tinykv\n"
    assert files[f"{INFO}/porter/runs/helper.py"] == b"PAGE = 4\n"
    text = files[f"{INFO}/PORTED.md"].decode()
    assert "| pages | `trip:pages` | syncs 1 | syncs 1 |" in text


def test_the_same_release_gives_the_same_files(ported: Ported, tiny: Any, tmp_path: Path) -> None:
    """Wherever it was unpacked, and whenever."""
    root = tmp_path / "elsewhere"
    shutil.copytree(tiny.tree.root, root)
    tree = type(tiny.tree)(root, tiny.tree.kind, tiny.tree.label, tiny.tree.origin)
    again = port(Release.of(tree), Recipe.load(tiny.recipe), default_rulebook())
    assert wheel_files(again) == wheel_files(ported)
