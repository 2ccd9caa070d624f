from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import jsonschema
import pytest
from click.testing import Result

from porter.sources.tree import SourceTree

Run = Callable[..., Result]


def rules_in(result: Result) -> set[str]:
    document = json.loads(result.stdout)
    return {item["rule"] for file in document["files"] for item in file["findings"]}


def test_findings_and_exit_code(run: Run, project: Path) -> None:
    result = run("scan", project)
    assert result.exit_code == 1
    assert "pkg/stream.py:3:10: HPU" in result.stdout
    assert "    -> torch.hpu.current_stream()" in result.stdout
    assert "pkg/kernel.py:" in result.stdout
    assert "0 unaccounted for" in result.stdout.splitlines()[-1]


def test_nothing_found(run: Run, project: Path) -> None:
    result = run("scan", project / "pkg/clean.py")
    assert (result.exit_code, result.stdout) == (0, "no CUDA constructs\n")


def test_json_follows_the_schema(run: Run, project: Path) -> None:
    schema = json.loads((files("porter.report") / "findings.schema.json").read_text())
    result = run("scan", project, "--format", "json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    jsonschema.validate(document, schema)
    assert document["sources"] == [str(project)]
    assert document["summary"]["fixable"] >= 1
    assert document["summary"]["rewritten"] == 0


def test_several_sources_of_any_kind(run: Run, project: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        archive.write(project / "pkg/stream.py", "demo/stream.py")
        archive.writestr("demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    result = run("scan", project / "pkg/kernel.py", wheel, "--format", "json")
    document = json.loads(result.stdout)
    assert document["sources"] == [str(project / "pkg/kernel.py"), str(wheel)]
    assert {file["path"] for file in document["files"]} == {"kernel.py", "demo/stream.py"}


def test_two_processes_find_the_same(run: Run, project: Path) -> None:
    one, two = (run("scan", project, "--jobs", jobs, "--format", "json") for jobs in (1, 2))
    assert one.stdout == two.stdout


class TestChoice:
    def test_select_and_ignore(self, run: Run, project: Path) -> None:
        every = rules_in(run("scan", project, "--format", "json"))
        chosen = min(every)
        select = run("scan", project, "--format", "json", "--select", chosen.lower())
        ignore = run("scan", project, "--format", "json", "--ignore", chosen)
        assert rules_in(select) == {chosen}
        assert json.loads(select.stdout)["summary"]["unaccounted"] == 0
        assert rules_in(ignore) == every - {chosen}

    def test_several_and_beginnings(self, run: Run, project: Path) -> None:
        every = rules_in(run("scan", project, "--format", "json"))
        for arguments in (
            ["--select", ",".join(every)],
            [f"--select={rule[:4]}" for rule in every],
        ):
            assert rules_in(run("scan", project, "--format", "json", *arguments)) == every

    def test_an_unknown_rule(self, run: Run, project: Path) -> None:
        result = run("scan", project, "--select", "HPU999")
        assert result.exit_code == 2
        assert result.stderr == "porter: HPU999: no such rule; `porter rules list` shows them\n"


class TestSettings:
    """``[tool.porter]`` of the project."""

    def test_defaults_that_the_command_line_replaces(self, run: Run, project: Path) -> None:
        every = rules_in(run("scan", project, "--format", "json"))
        first, *others = sorted(every)
        (project / "pyproject.toml").write_text(f'[tool.porter]\nselect = ["{first}"]\n')
        assert rules_in(run("scan", project, "--format", "json")) == {first}
        chosen = run("scan", project, "--format", "json", "--select", others[0])
        assert rules_in(chosen) == {others[0]}

    def test_ignore(self, run: Run, project: Path) -> None:
        every = rules_in(run("scan", project, "--format", "json"))
        (project / "pyproject.toml").write_text(f'[tool.porter]\nignore = ["{min(every)}"]\n')
        assert rules_in(run("scan", project, "--format", "json")) == every - {min(every)}

    def test_exclude(self, run: Run, project: Path) -> None:
        (project / "pyproject.toml").write_text('[tool.porter]\nexclude = ["*/stream.py"]\n')
        paths = [
            file["path"]
            for file in json.loads(run("scan", project, "--format", "json", "--jobs", 2).stdout)[
                "files"
            ]
        ]
        assert paths == ["pkg/kernel.py"]

    def test_ignores_by_file(self, run: Run, project: Path) -> None:
        every = rules_in(run("scan", project, "--format", "json"))
        (project / "pyproject.toml").write_text(
            '[tool.porter.per-file-ignores]\n"pkg/s*.py" = ["HPU3"]\n"other/*" = ["HPU"]\n'
        )
        left = {rule for rule in every if not rule.startswith("HPU3")}
        assert rules_in(run("scan", project, "--format", "json")) == left != every
        assert b"torch.cuda" in (project / "pkg/stream.py").read_bytes()
        assert run("rewrite", project).stdout == ""

    def test_patterns_speak_of_the_project_whatever_is_scanned(
        self, run: Run, project: Path
    ) -> None:
        (project / "pyproject.toml").write_text('[tool.porter]\nexclude = ["pkg/stream.py"]\n')
        for source in (project / "pkg", project / "pkg/stream.py"):
            assert "stream.py" not in run("scan", source).stdout
        assert "kernel.py" in run("scan", project / "pkg").stdout

    def test_other_tools_are_their_own_affair(self, run: Run, project: Path) -> None:
        (project / "pyproject.toml").write_text("[tool.other]\nselect = 1\n")
        assert run("scan", project).exit_code == 1

    @pytest.mark.parametrize(
        ("text", "clue"),
        [
            (
                "[tool.porter]\nselct = []\n",
                "unknown keys: selct; it takes select, ",
            ),
            (
                '[tool.porter]\nselect = "HPU101"\n',
                "select must be a list of strings",
            ),
            ("[tool.porter]\nexclude = [1]\n", "[tool.porter]: exclude must be a list of strings"),
            (
                '[tool.porter]\nignore = ["HPU999"]\n',
                "pyproject.toml: [tool.porter]: ignore: HPU999: no such rule",
            ),
            (
                '[tool.porter.per-file-ignores]\n"a/*" = ["E5"]\n',
                "pyproject.toml: [tool.porter]: per-file-ignores: 'a/*': E5: no such rule",
            ),
            (
                '[tool.porter.per-file-ignores]\n"a/*" = "HPU201"\n',
                "pyproject.toml: [tool.porter]: per-file-ignores: a/* must be a list of strings",
            ),
            ("[tool]\nporter = 1\n", "[tool.porter]: must be a table"),
            ("[tool.porter\n", "not valid TOML"),
        ],
    )
    def test_a_bad_key_is_one_line(self, run: Run, project: Path, text: str, clue: str) -> None:
        (project / "pyproject.toml").write_text(text)
        result = run("scan", project)
        assert result.exit_code == 2
        assert clue in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_ignored_is_counted_beside(run: Run, project: Path) -> None:
    stream = project / "pkg/stream.py"
    stream.write_text(stream.read_text().rstrip() + "  # porter: ignore[HPU3] a reason\n")
    schema = json.loads((files("porter.report") / "findings.schema.json").read_text())
    document = json.loads(run("scan", stream, "--format", "json").stdout)
    jsonschema.validate(document, schema)
    assert document["summary"] == {**dict.fromkeys(document["summary"], 0), "ignored": 1}
    (item,) = document["files"][0]["ignored"]
    assert (item["by"], item["reason"]) == ("comment", "a reason")
    result = run("scan", stream)
    assert (result.exit_code, result.stdout) == (0, "no CUDA constructs; 1 ignored\n")


class TestCache:
    @pytest.fixture
    def entries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.delenv("PORTER_NO_CACHE")
        monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))
        return tmp_path / "cache" / "findings.sqlite"

    @pytest.mark.parametrize("command", ["scan", "rewrite"])
    def test_a_second_run_says_the_same(
        self, run: Run, project: Path, entries: Path, command: str
    ) -> None:
        first = run(command, project)
        assert entries.is_file()
        written = entries.read_bytes()
        second = run(command, project)
        assert (second.stdout, second.stderr) == (first.stdout, first.stderr)
        assert entries.read_bytes() == written

    def test_it_can_be_left_alone(
        self, run: Run, project: Path, entries: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("scan", project, "--no-cache")
        monkeypatch.setenv("PORTER_NO_CACHE", "1")
        run("scan", project)
        assert not entries.exists()

    def test_it_need_not_be_there(
        self, run: Run, project: Path, entries: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORTER_CACHE", str(project / "pkg/clean.py"))
        assert run("scan", project).stdout == run("scan", project, "--no-cache").stdout


@pytest.mark.parametrize("source", ["missing/", "missing.py", "missing.whl"])
def test_a_source_that_is_not_there(run: Run, source: str) -> None:
    result = run("scan", source)
    assert result.exit_code == 2
    assert source.rstrip("/") in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_read_is_named(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root, who may run the tests, can read every folder: the tree is made to say otherwise."""
    monkeypatch.setattr(SourceTree, "unreadable", lambda tree: ["secret"])
    assert run("scan", project).stderr == "porter: secret: cannot be read, and was left out\n"


def test_no_source_is_bad_usage(run: Run) -> None:
    assert run("scan").exit_code == 2


def test_a_syntax_error_is_a_finding(run: Run, project: Path) -> None:
    (project / "pkg/stream.py").write_text("import torch\ntorch.cuda.(\n")
    result = run("scan", project)
    assert result.exit_code == 1
    assert "pkg/stream.py" in result.stdout
    assert "Traceback" not in result.stderr
