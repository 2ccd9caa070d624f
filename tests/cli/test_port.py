"""porter port: what it leaves, what it says, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import jsonschema
import pytest
from click.testing import CliRunner, Result

import porter.cli
from porter.cli import main

WHEEL = "tinykv-1.2+hpu.1-py3-none-any.whl"
LEFT = {WHEEL, "changes.patch", "findings.json", "ladder.json", "review.html"}

Port = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Any) -> Port:
    """``porter port`` of the small wheel by its recipe, into ``out`` unless told otherwise."""
    monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))

    def run(*arguments: str, source: Path = tiny.wheel, output: Path = tmp_path / "out") -> Result:
        command = ["port", str(source), "-o", str(output), "--recipe", str(tiny.recipe)]
        command += ["--level", "static"]  # the rungs above it are tested with porter.validate
        return CliRunner().invoke(main, [*command, *arguments])

    return run


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_it_leaves_five_files(run: Port, out: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == LEFT
    rungs = json.loads((out / "ladder.json").read_text())["rungs"]
    assert [rung["name"] for rung in rungs] == ["static", "import", "contract", "run", "serve"]
    assert rungs[0]["status"] == "passed"
    with ZipFile(out / WHEEL) as wheel:
        inside = wheel.read("tinykv-1.2+hpu.1.dist-info/porter/findings.json")
    assert (out / "findings.json").read_bytes() == inside


def test_it_says_what_was_done(run: Port, out: Path) -> None:
    text = run().output
    assert "tinykv 1.2 -> 1.2+hpu.1" in text
    assert "0 unaccounted for" in text
    assert "dropped file tinykv/kernels.cpython-311-x86_64-linux-gnu.so (links libtorch" in text
    assert "dropped requirement Cupy_CUDA12x" in text
    assert "Not runnable yet: 1 native operation is not implemented." in text
    assert f"wrote {out / WHEEL}" in text
    assert "A green ladder is not a Gaudi card" in text
    assert "%" not in text


def test_json_says_the_same(run: Port, out: Path) -> None:
    document = json.loads(run("--format", "json").output)
    schema = Path(porter.cli.__path__[0]) / "port.schema.json"
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert document["version"] == "1.2+hpu.1"
    assert document["plugins"] == []
    assert document["not_implemented"] == ["tinykv.hpu.kernels.copy_pages"]
    assert document["summary"]["unaccounted"] == 0
    assert document["rungs"][0]["name"] == "static"
    assert set(document["written"]) == {str(out / name) for name in LEFT}
    assert {item["what"] for item in document["dropped_requirements"]}
    assert document["seconds"].keys() == {"fetch", "port", "build", "validate", "write"}


def test_its_review_has_the_ladder_and_a_selection_of_it_can_be_applied(
    run: Port, out: Path, tiny: Any, data_of: Any, selection: Any
) -> None:
    run()
    page = out / "review.html"
    assert "1 CUDA construct, none unaccounted for" in page.read_text()
    assert data_of(page)["options"]["routes"] == {"tinykv.kernels": "tinykv.hpu.kernels"}
    rewritten = out.parent / "rewritten"
    command = ["rewrite", str(tiny.wheel), "--output", str(rewritten)]
    command += ["--selection", str(selection(page, "HPU320"))]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "2 hunks of the review applied, 1 refused" in result.stderr
    connector = (rewritten / "tinykv/connector.py").read_text()
    assert "import tinykv.hpu.kernels as ops" in connector
    assert 'slots.to("hpu")' in connector
    assert "torch.cuda.synchronize()" in connector


def test_an_sdist_is_ported_as_well(run: Port, out: Path, tiny: Any) -> None:
    result = run(source=tiny.sdist)
    assert result.exit_code == 0, result.output
    with ZipFile(out / WHEEL) as wheel:
        assert "tinykv-1.2+hpu.1.dist-info/licenses/NOTICE" in wheel.namelist()
        assert not [name for name in wheel.namelist() if name.startswith("tests/")]


def test_twice_is_the_same_wheel(run: Port, out: Path, tmp_path: Path) -> None:
    assert run().exit_code == run(output=tmp_path / "again").exit_code == 0
    for name in LEFT:
        assert (out / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_only_porter_s_own_files_are_replaced(run: Port, out: Path) -> None:
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "changes.patch").write_text("an old patch")
    assert run().exit_code == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "changes.patch").read_bytes().startswith(b"# tinykv 1.2 -> 1.2+hpu.1")
    assert {path.name for path in out.iterdir()} == LEFT | {"notes.txt"}


def test_a_plugin_is_ported_along(
    run: Port, out: Path, tmp_path: Path, tiny: Any, data_of: Any
) -> None:
    plugins = '[plugins]\nfolder = "tinykv/plugins"\nbases = ["tinykv.P"]\nstart = "{plugin}()"\n'
    tiny.recipe.write_text(f"{tiny.recipe.read_text()}\n{plugins}")
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("import torch\n\ntorch.cuda.synchronize()\n")
    files = ["--plugin", str(tmp_path / "one.py"), "--plugin", str(tmp_path / "two.py")]
    result = run(*files)
    assert result.exit_code == 0, result.output
    assert (
        "ported along: tinykv/plugins/one.py\nported along: tinykv/plugins/two.py" in result.output
    )
    findings = json.loads((out / "findings.json").read_text())
    assert {"tinykv/plugins/one.py", "tinykv/plugins/two.py"} < {
        file["path"] for file in findings["files"]
    }
    reviewed = [file for file in data_of(out / "review.html")["files"] if "plugins" in file["path"]]
    assert len({finding["hunk"] for file in reviewed for finding in file["findings"]}) == 2
    with ZipFile(out / WHEEL) as wheel:
        assert b"torch.hpu.synchronize()" in wheel.read("tinykv/plugins/one.py")
    document = json.loads(run(*files, "--format", "json").output)
    assert document["plugins"] == ["tinykv/plugins/one.py", "tinykv/plugins/two.py"]


def test_a_plugin_that_is_none_is_refused(run: Port, out: Path, tmp_path: Path, tiny: Any) -> None:
    refused(run("--plugin", str(tmp_path / "a.py")), "has no [plugins] for this release")
    plugins = '[plugins]\nfolder = "tinykv/plugins"\nbases = ["tinykv.P"]\nstart = "{plugin}()"\n'
    tiny.recipe.write_text(f"{tiny.recipe.read_text()}\n{plugins}")
    refused(run("--plugin", str(tmp_path / "a.py")), "a.py: cannot be read: No such file")
    assert not out.exists()


def test_the_build_number_can_be_chosen(run: Port, out: Path) -> None:
    assert run("--build", "4").exit_code == 0
    assert (out / "tinykv-1.2+hpu.4-py3-none-any.whl").is_file()


def test_a_failed_rung_is_exit_code_1_and_the_files_are_there(
    run: Port, out: Path, tiny: Any
) -> None:
    """The overlay brings a name that the bridge does not have."""
    overlay = tiny.recipe.parent / "overlay" / "tinykv" / "hpu" / "kernels.py"
    overlay.write_text("import torch\n\ntorch.hpu.no_such_name()\n")
    result = run()
    assert result.exit_code == 1, result.output
    assert {path.name for path in out.iterdir()} == LEFT
    assert json.loads((out / "ladder.json").read_text())["rungs"][0]["status"] == "failed"


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.output.count("\n") == 1, result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.output


def test_a_file_in_the_place_of_the_folder_is_refused(run: Port, out: Path) -> None:
    out.write_text("mine")
    refused(run(), "is a file", "-o")
    assert out.read_text() == "mine"


def test_a_folder_below_a_file_is_refused(run: Port, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(run(output=tmp_path / "file" / "out"), "lies below the file")


def test_a_folder_that_cannot_be_written_is_refused(run: Port, out: Path) -> None:
    out.mkdir()
    out.chmod(0o555)
    refused(run(), str(out), "read-only; make it writable, or give -o another folder")
    refused(run(output=out / "deeper"), str(out), "read-only")


def test_a_file_that_is_protected_is_refused_and_nothing_changes(run: Port, out: Path) -> None:
    out.mkdir()
    (out / "findings.json").write_text("mine")
    (out / "findings.json").chmod(0o444)
    refused(run(), "findings.json", "read-only; make it writable, or give -o another folder")
    assert [path.name for path in out.iterdir()] == ["findings.json"]
    assert (out / "findings.json").read_text() == "mine"


def test_a_way_back_that_fails_promises_no_journal(
    run: Port, out: Path, disk_that_fails: Callable[[], None]
) -> None:
    """No disk fails on demand: the second file cannot be replaced, and the first not put back."""
    assert run().exit_code == 0
    disk_that_fails()
    result = run()
    refused(result, "cannot be put back", "port again once the cause is gone")
    assert "undo" not in result.output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("tier = 3", "tier = 3\nsize = 1"), ["unknown keys: size"]),
        (('supported = ">=1,<2"', 'supported = ">=2"'), ["tinykv 1.2: not supported"]),
        (('folder = "overlay"', 'folder = "nowhere"'), ["nowhere is no folder"]),
        (('name = "tinykv"', 'name = "bigkv"'), ["a recipe for bigkv"]),
    ],
)
def test_a_wrong_recipe_is_one_line_and_leaves_nothing(
    run: Port, out: Path, tiny: Any, change: tuple[str, str], words: list[str]
) -> None:
    tiny.recipe.write_text(tiny.recipe.read_text().replace(*change))
    refused(run(), str(tiny.recipe), *words)
    assert not out.exists()


def test_a_package_without_a_recipe_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Any
) -> None:
    monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))
    result = CliRunner().invoke(main, ["port", str(tiny.wheel), "-o", str(tmp_path / "out")])
    refused(result, "no recipe", "--recipe FILE")


def test_a_folder_is_no_release(run: Port, tmp_path: Path) -> None:
    refused(run(source=tmp_path), "give a requirement, a wheel or an sdist")


def test_help_shows_an_example() -> None:
    result = CliRunner().invoke(main, ["port", "--help"])
    assert result.exit_code == 0
    assert "porter port lmcache==0.3.9.post2 -o" in result.output
