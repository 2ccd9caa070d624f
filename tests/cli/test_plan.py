from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from porter.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plan", *arguments])


def test_text_in_80_columns() -> None:
    result = run("Llama-3.1-70B", "--context", "128K", "--concurrency", "4")
    assert result.exit_code == 0, result.output
    assert "160.0 GiB" in result.stdout
    assert "It fits on 4 cards." in result.stdout
    head, _, rest = result.stdout.partition("export ")
    assert max(map(len, head.splitlines())) <= 80
    assert "chunk_size: 256" in rest


def test_json() -> None:
    result = run("Llama-3.1-70B", "--context", "131072", "--concurrency", "4", "--format", "json")
    document = json.loads(result.stdout)
    assert document["kv_cache_bytes"] == 160 * 2**30
    assert document["fits"] is True
    assert result.stderr == ""


def test_yaml() -> None:
    result = run("Llama-3.1-8B", "--context", "32K", "--format", "yaml")
    options = yaml.safe_load(result.stdout)
    assert options["block-size"] == 128
    assert options["max-model-len"] == 32_768
    assert json.loads(options["kv-transfer-config"])["kv_connector"] == "LMCacheConnectorV1HPU"


def test_what_does_not_fit_is_an_answer() -> None:
    result = run("Llama-3.1-405B", "--context", "128K", "--cards", "1", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["fits"] is False


def test_every_option_has_its_effect() -> None:
    def fields(*options: str) -> dict:
        common = ("Llama-3.1-8B", "--context", "32K", "--format", "json", *options)
        return json.loads(run(*common).stdout)

    usual = fields()
    assert fields("--kv-cache", "fp8")["kv_cache_bytes"] * 2 == usual["kv_cache_bytes"]
    assert fields("--quantization", "inc")["weight_bytes"] < 0.6 * usual["weight_bytes"]
    assert fields("--card", "gaudi2")["card"] == "gaudi2"
    assert fields("--step", "4K")["vllm_args"]["max-num-batched-tokens"] == 4096
    assert fields("--utilization", "0.8")["vllm_args"]["gpu-memory-utilization"] == 0.8
    assert fields("--graphs", "0.3")["environment"]["VLLM_GRAPH_RESERVED_MEM"] == "0.3"
    assert fields("--bandwidth", "8")["lmcache"]["load_seconds"] == pytest.approx(
        2 * usual["lmcache"]["load_seconds"]
    )


def test_matrix() -> None:
    result = run("Llama-3.1-8B", "--matrix", "--concurrency", "8")
    assert result.exit_code == 0, result.output
    assert "256K*" in result.stdout
    rows = json.loads(run("Llama-3.1-8B", "--matrix", "--format", "json").stdout)["rows"]
    assert [row["context"] for row in rows] == [2**power for power in range(11, 19)]


def test_list() -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert "meta-llama/Llama-3.1-70B" in result.stdout
    assert "70.6B" in result.stdout


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "vocab_size": 1000,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert run(str(tmp_path), "--context", "1K").exit_code == 0
    del config["hidden_size"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = run(str(tmp_path), "--context", "1K")
    assert result.exit_code == 2
    assert result.stderr == f"porter: {tmp_path}/config.json: add hidden_size\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Llama-3.1-71B", "--context", "1K"], "did you mean meta-llama/Llama-3.1-70B"),
        (["Llama-3.1-8B"], "say how long a context is to be"),
        (["Llama-3.1-8B", "--context", "0"], "not between 1 and"),
        (["Llama-3.1-8B", "--context", "-5"], "no number of tokens"),
        (["Llama-3.1-8B", "--context", "1T"], "no number of tokens"),
        (["Llama-3.1-8B", "--context", "999999999999"], "not between 1 and"),
        (["Llama-3.1-8B", "--context", "1K", "--concurrency", "0"], "not in the range"),
        (["Llama-3.1-8B", "--context", "1K", "--cards", "3"], "'3' is not one of"),
        (["Llama-3.1-8B", "--context", "1K", "--utilization", "1.5"], "not in the range"),
        (["Llama-3.1-8B", "--matrix", "--format", "yaml"], "--matrix has no YAML"),
        (["Llama-3.1-8B", "--context", "1K", "--plot", "x.txt"], "x.txt: give --plot a name"),
    ],
)
def test_bad_usage(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_help_shows_an_example() -> None:
    assert "porter plan meta-llama/Llama-3.1-70B --context 128K" in run("--help").stdout
