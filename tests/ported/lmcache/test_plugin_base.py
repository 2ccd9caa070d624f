"""The base class of plugins and what it is made of, without LMCache around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from porter.package.recipe import find_recipe

OVERLAY = find_recipe("lmcache").overlays[0].folder
SCRIPTS = OVERLAY / "lmcache" / "hpu" / "plugins" / "scripts"
Make = Callable[..., Any]


@pytest.fixture
def base(hpu: Any) -> ModuleType:
    module: ModuleType = hpu("plugins.base")
    return module


@pytest.fixture
def plugin(base: ModuleType) -> Make:
    """One whose ``extra_config`` has these."""
    return lambda **extra: base.Plugin({"extra_config": extra or None}, "worker", 2, 1)


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As a launcher does, and as a person may who does not know of it."""
    names = [name for name in os.environ if name.startswith("LMCACHE")]
    environment = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**environment, "PYTHONPATH": str(OVERLAY), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def launched(prefix: str = "LMCACHE_PLUGIN", **extra: Any) -> dict[str, str]:
    return {
        f"{prefix}_ROLE": "KVConnectorRole.SCHEDULER",
        f"{prefix}_CONFIG": json.dumps({"extra_config": extra}),
        f"{prefix}_WORKER_COUNT": "2",
        f"{prefix}_WORKER_ID": "-1",
    }


# Settings.


def test_a_setting_is_of_the_default_s_kind(plugin: Make) -> None:
    made = plugin(hpu_port="8080", hpu_host=1)
    assert made.setting("port", 9464) == 8080
    assert made.setting("host", "localhost") == "1"
    assert made.setting("timeout", 600.0) == 600.0


def test_the_environment_comes_first(plugin: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMCACHE_HPU_PORT", "7")
    assert plugin(hpu_port=8).setting("port", 9) == 7


def test_a_setting_that_is_wrong_is_named(plugin: Make) -> None:
    with pytest.raises(ValueError, match="hpu_port must be of type int, not 'many'"):
        plugin(hpu_port="many").setting("port", 9464)


def test_the_key_is_no_setting(plugin: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    engine = plugin(hpu_engine_url="http://here:1/").engine
    assert engine.url == "http://here:1"
    assert engine._headers["Authorization"] == "Bearer secret"


def test_nothing_to_do_is_no_error(plugin: Make, hpu: Any) -> None:
    made = plugin()
    stats = hpu("plugins.stats").RequestStats("r", 1, 1, 0, 0, "stop", 0.1)
    made.on_startup()
    made.on_request_complete("r", stats)
    made.on_shutdown()


def test_the_guide_s_name_is_the_same_class(hpu: Any, base: ModuleType) -> None:
    import lmcache.v1.plugin.plugin_base as named  # noqa: PLC0415

    assert named.PluginBase is base.Plugin


# Messages.


def test_what_is_sent_is_what_is_read(hpu: Any) -> None:
    stats = hpu("plugins.stats")
    sent = stats.RequestStats("a \u00fc", 300, 7, 64, 128, "stop", 1.5)
    missed, read = stats.decode(stats.encode(3, sent))
    assert (missed, read) == (3, sent)
    assert (read.cached_tokens, read.cache_hit) == (192, True)


def test_every_engine_has_a_socket_of_its_own(hpu: Any) -> None:
    stats = hpu("plugins.stats")
    names = {stats.socket_name(f"{engine}_dp{rank}") for engine in "ab" for rank in (0, 1)}
    assert len(names) == 4
    assert all(len(stats.socket_address(name)) < 108 for name in names)  # as Linux has it


# Scripts.


def test_a_script_without_a_launcher_says_who_starts_it() -> None:
    done = run(SCRIPTS / "scheduler_cache_warmup.py")
    assert done.returncode == 1
    assert done.stderr == "CacheWarmup is started by LMCache: name its file in plugin_locations\n"


@pytest.mark.parametrize("prefix", ["LMCACHE_PLUGIN", "LMCACHE_RUNTIME_PLUGIN"])
def test_a_warm_up_without_prompts_ends(prefix: str) -> None:
    done = run(SCRIPTS / "scheduler_cache_warmup.py", **launched(prefix))
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing to do: set hpu_warmup_prompts" in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("missing.txt", None, "No such file"),
        ("a.jsonl", '"x"\n{\n', "a.jsonl:2: not JSON"),
        ("b.jsonl", "[]\n", "b.jsonl:1: a prompt is a string or a list of token ids"),
        ("c.jsonl", "[true]\n", "c.jsonl:1: a prompt is a string or a list of token ids"),
        ("d.txt", "one\n", "did not serve /v1/models within 0 s"),
    ],
)
def test_a_warm_up_says_in_one_line_what_is_amiss(
    tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    settings = {
        "hpu_warmup_prompts": str(tmp_path / name),
        "hpu_warmup_timeout": 0,
        "hpu_engine_url": "http://127.0.0.1:9",  # where nobody listens
    }
    done = run(SCRIPTS / "scheduler_cache_warmup.py", **launched(**settings))
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.startswith("warm-up: ") and done.stderr.count("\n") == 1


def test_a_text_has_a_prompt_a_line(hpu: Any, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text('one "prompt"\n\n[2]\n')
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n"
        "from pathlib import Path\n"
        "from scheduler_cache_warmup import read_prompts\n"
        f"print(list(read_prompts(Path({str(tmp_path / 'prompts.txt')!r}))))"
    )
    (tmp_path / "read.py").write_text(code)
    assert run(tmp_path / "read.py").stdout == """['one "prompt"', '[2]']\n"""


def test_the_paths_are_printed() -> None:
    assert run("-m", "lmcache.hpu.plugins").stdout.splitlines() == [
        str(SCRIPTS / "all_prometheus_exporter.py"),
        str(SCRIPTS / "scheduler_cache_warmup.py"),
    ]


def test_nothing_of_it_needs_torch() -> None:
    """A plugin's process should be small, and must not take a card."""
    names = ["base", "engine", "internal_api", "stats"]
    code = "".join(f"import lmcache.hpu.plugins.{name}\n" for name in names)
    assert run("-c", f"{code}import sys\nprint('torch' in sys.modules)").stdout == "False\n"
