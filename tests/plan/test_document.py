from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import porter.plan
from porter.plan.config import known_models
from porter.plan.document import to_document

SCHEMA = json.loads((Path(porter.plan.__file__).parent / "plan.schema.json").read_text())


@pytest.mark.parametrize("name", [model.name for model in known_models()][::4])
def test_a_document_keeps_the_schema(plan, name):
    jsonschema.validate(to_document(plan(name, 32_768, 4)), SCHEMA)


def test_one_that_cannot_be_started_does_too(plan):
    document = to_document(plan("falcon-7b", 2048, cards=2))
    jsonschema.validate(document, SCHEMA)
    assert document["fits"] is False
    assert document["cards"] is None


def test_what_scripts_rely_on(plan):
    document = to_document(plan("Llama-3.1-70B", 131_072, 4))
    assert document["kv_cache_bytes"] == 171_798_691_840
    assert document["weight_bytes"] == 141_107_412_992
    assert document["fits"] is True
    assert document["vllm_args"]["tensor-parallel-size"] == document["cards"] == 4
    assert document["lmcache"]["sequence_bytes"] == 40 * 2**30


def test_the_schema_refuses_another_key(plan):
    document = {**to_document(plan("Llama-3.1-8B", 4096)), "more": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
