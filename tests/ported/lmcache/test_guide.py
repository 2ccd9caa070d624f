"""docs/lmcache.md: what an operator copies out of it is taken by what it is meant for."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

import porter.cli
from porter.sources.resolve import open_source
from porter.toml import read_toml

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "lmcache.md").read_text()
OVERLAYS = ROOT / "ported" / "lmcache"
CLASS = "LMCacheConnectorV1HPU"
MODULE = "lmcache.integration.vllm.lmcache_connector_hpu"
TRANSFER_FIELDS = {
    "kv_connector",
    "kv_role",
    "kv_connector_module_path",
    "kv_load_failure_policy",
}
READ_CONFIG = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from lmcache.v1 import config as module
answers = []
for text in json.loads(sys.argv[2]):
    path = Path(sys.argv[3], "lmcache.yaml")
    path.write_text(text)
    config = module.LMCacheEngineConfig.from_file(str(path))
    config.validate()
    import yaml
    loaded = yaml.safe_load(text)
    wanted = {module._CONFIG_ALIASES.get(key, key): value for key, value in loaded.items()}
    answers.append({
        "unknown": sorted(wanted.keys() - module._CONFIG_DEFINITIONS.keys()),
        "other": sorted(key for key, value in wanted.items() if getattr(config, key) != value),
    })
names = [name.removeprefix("LMCACHE_").lower() for name in json.loads(sys.argv[4])]
answers.append({"unknown": [n for n in names if n not in module._CONFIG_DEFINITIONS]})
print("\\n" + json.dumps(answers))
"""


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert found, language
    return found


def commands(program: str) -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    found = [words for line in lines if (words := shlex.split(line))[:1] == [program]]
    assert found, program
    return found


def transfers() -> Iterator[dict[str, Any]]:
    for block in blocks("json"):
        document = json.loads(block)
        if "kv_connector" in document:
            yield document
    for words in commands("vllm"):
        yield json.loads(words[words.index("--kv-transfer-config") + 1])


def table(section: str) -> list[list[str]]:
    """The cells of the rows below a heading, without the head."""
    text = GUIDE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 1, section
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


@pytest.mark.parametrize("words", commands("porter"), ids=" ".join)
def test_porter_takes_its_commands(words: list[str]) -> None:
    command = porter.cli.main.get_command(None, words[1])  # type: ignore[arg-type]
    assert command is not None
    command.make_context(words[1], words[2:])


def test_every_transfer_config_names_the_connector() -> None:
    plugin = ast.parse((OVERLAYS / "overlay/lmcache/hpu/plugin.py").read_text())
    values = {
        node.targets[0].id: node.value  # type: ignore[attr-defined]
        for node in plugin.body
        if isinstance(node, ast.Assign)
    }
    assert ast.literal_eval(values["_CLASS"]) == CLASS
    assert ast.literal_eval(values["_MODULE"]) == MODULE
    constants = (node for node in ast.walk(values["NAMES"]) if isinstance(node, ast.Constant))
    names = {CLASS, *(node.value for node in constants)}
    seen = set()
    for config in transfers():
        assert config.keys() <= TRANSFER_FIELDS
        assert config["kv_role"] in ("kv_both", "kv_producer", "kv_consumer")
        assert config["kv_connector"] in names
        if "kv_connector_module_path" in config:
            assert (config["kv_connector"], config["kv_connector_module_path"]) == (CLASS, MODULE)
        seen.add(config["kv_connector"])
    assert seen == names


def test_request_parameters_are_for_lmcache() -> None:
    documents = map(json.loads, blocks("json"))
    parameters = [document for document in documents if "kv_connector" not in document]
    assert parameters and all(key.startswith("lmcache.") for keys in parameters for key in keys)


def sentences() -> str:
    """What the overlays' modules say."""
    found = [
        node.value
        for path in OVERLAYS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\n".join(found)


def test_what_is_refused_is_quoted() -> None:
    said = sentences()
    quotes = [row[0].strip("`") for row in table("What is refused")]
    quotes += re.findall(r"^> (.*)$", GUIDE, re.MULTILINE)
    assert [quote for quote in quotes if quote not in said] == []


def test_releases_are_imported_beside_the_vllm_that_the_recipe_names() -> None:
    environment = read_toml(OVERLAYS / "recipe.toml")["environment"]
    for release, beside, _ in table("Which vLLM"):
        named = [
            vllm for versions, vllm in environment.items() if release in SpecifierSet(versions)
        ]
        assert named == [beside.removeprefix("vLLM ")]


@pytest.mark.network
@pytest.mark.parametrize("version", ["0.3.9.post2", "0.5.6"])
def test_lmcache_takes_the_configuration(version: str, tmp_path: Path) -> None:
    tree = open_source(f"lmcache=={version}")
    names = {*re.findall(r"LMCACHE_[A-Z_]+", GUIDE)}
    names -= {"LMCACHE_CONFIG_FILE", "LMCACHE_FORCE_SKIP_SAVE"}  # read by the adapter
    yaml = json.dumps(blocks("yaml"))
    done = subprocess.run(
        [
            *(sys.executable, "-c", READ_CONFIG, str(tree.root), yaml, str(tmp_path)),
            json.dumps(sorted(names)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert len(answers) > len(blocks("yaml"))
    assert [answer for answer in answers if any(answer.values())] == []
