from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from porter.findings import Result
from porter.report.json import to_json


@pytest.fixture
def schema() -> dict[str, Any]:
    text = (files("porter.report") / "findings.schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(document)
    return document


def test_the_result_follows_the_schema(result: Result, schema: dict[str, Any]) -> None:
    for view in (result, result.rewritten(), Result((), ())):
        jsonschema.validate(json.loads(json.dumps(to_json(view))), schema)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rule", "E501"),
        ("verdict", "fine"),
        ("status", "done"),
        ("line", 0),
        ("constructs", 0),
        ("after", 1),
        ("extra", 1),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_have(
    result: Result, schema: dict[str, Any], key: str, value: object
) -> None:
    document = to_json(result)
    document["files"][0]["findings"][0][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_one_finding(result: Result) -> None:
    document = to_json(result)
    assert document["schema_version"] == 1
    assert document["sources"] == ["pkg"]
    assert document["files"][0]["findings"][0] == {
        "rule": "HPU101",
        "verdict": "exact",
        "effort": "none",
        "status": "fixable",
        "constructs": 1,
        "line": 12,
        "column": 9,
        "end_line": 12,
        "end_column": 36,
        "before": "torch.cuda.current_stream()",
        "after": "torch.hpu.current_stream()",
        "message": "the same on HPU",
        "url": "docs/rules/HPU101.md",
    }


def test_the_summary_adds_up(result: Result) -> None:
    document = to_json(result.rewritten())
    findings = [item for file in document["files"] for item in file["findings"]]
    counted = Counter[str]()
    for item in findings:
        counted[item["status"]] += item["constructs"]
    assert document["summary"] == {
        "constructs": 7,
        "fixable": 0,
        "rewritten": counted["rewritten"],
        "reported": counted["reported"],
        "unaccounted": 7 - counted.total(),
        "ignored": 0,
    }


def test_a_file_without_a_construct_is_left_out(result: Result) -> None:
    assert [file["path"] for file in to_json(result)["files"]] == ["pkg/m.py", "pkg/n.py"]
