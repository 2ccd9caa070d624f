"""Plugins of the ported wheel, started by the launchers of real releases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="upstream's modules need torch")

CHECKS = Path(__file__).with_name("plugin_checks.py")
RELEASES = [pytest.param("0.3.9.post2", marks=pytest.mark.slow), "0.5.6"]
SERVER = ["cryptography", "fastapi", "httptools", "multipart", "uvicorn", "uvloop"]
#: As the guide to LMCache on Gaudi shows them: the class alone, under a name without a role.
USERS = """\
import torch
from lmcache.v1.plugin.plugin_base import PluginBase


class CacheReport(PluginBase):
    def __init__(self, config, role, worker_count, worker_id):
        super().__init__(config, role, worker_count, worker_id)
        print("devices", torch.cuda.device_count())

    def on_request_complete(self, request_id, stats):
        if stats.cache_hit:
            print(f"Request {request_id}: cache hit!")
"""

Check = Callable[..., str]
Port = Callable[[str], Path]


@pytest.fixture(scope="session")
def port(porting: Callable[..., Port], tmp_path_factory: pytest.TempPathFactory) -> Port:
    """The unpacked wheel of a release that was ported with a user's plugin."""
    plugin = tmp_path_factory.mktemp("plugin") / "cache_report.py"
    plugin.write_text(USERS)
    return porting("--plugin", str(plugin))


@pytest.fixture(params=RELEASES)
def check(request: pytest.FixtureRequest, port: Port, tmp_path: Path) -> Check:
    """One of plugin_checks.py, in a process and a folder of its own; what it prints comes back."""

    def run(name: str, **variables: str) -> str:
        paths = [str(port(request.param)), *filter(None, sys.path)]
        python = str(Path(sys.executable).parent)  # the launcher takes the PATH's
        done = subprocess.run(
            [sys.executable, CHECKS, name, request.param],
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": os.pathsep.join([python, os.environ["PATH"]]),
                "PYTHONPATH": os.pathsep.join(paths),
                "PYTHONUNBUFFERED": "",  # the older launcher does not ask for it
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    "name",
    [
        "a_plugin_hears_of_requests",
        "the_launcher_chooses_by_name",
        "a_worker_s_plugin_hears_of_requests_too",
        "a_plugin_that_dies_hurts_nobody",
        "a_slow_plugin_stops_nobody",
        "nothing_exists_without_plugins",
        "a_killed_engine_leaves_nothing_behind",
        "a_user_s_plugin",
    ],
)
def test_plugins(check: Check, name: str) -> None:
    check(name)


@pytest.mark.parametrize("name", ["the_exporter_counts_requests", "a_port_that_is_taken"])
def test_the_exporter(check: Check, name: str) -> None:
    check(name)


@pytest.mark.skipif(
    not all(map(find_spec, SERVER)), reason=f"LMCache's internal API server needs {SERVER}"
)
@pytest.mark.parametrize(
    "name", ["the_exporter_has_lmcache_s_own_numbers", "the_exporter_reads_a_socket"]
)
def test_the_exporter_with_lmcache_s_server(check: Check, name: str) -> None:
    check(name)


@dataclass
class Server:
    """Stands in for vLLM's, which needs a model and an engine: it counts what it is asked for.

    It does not know the first answers, as a server that is starting; a prompt is cached when it
    comes for the second time.
    """

    failures: int = 2
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    models: int = 0

    def answer(self, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        if self.failures:
            self.failures -= 1
            return 503, {"error": "starting"}
        if path == "/v1/models" and body is None:
            self.models += 1
            return 200, {"data": [{"id": "a-model"}, {"id": "another"}]}
        if path == "/v1/completions" and body is not None:
            if len(body["prompt"]) > 100:
                return 400, {"error": "the prompt is too long"}
            cached = 16 if body in self.asked else 0
            self.asked.append(body)
            details = {"cached_tokens": cached}
            return 200, {"usage": {"prompt_tokens": 20, "prompt_tokens_details": details}}
        return 404, {"error": "no such path"}


@contextmanager
def served(server: Server) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: dict[str, Any] | None) -> None:
            server.keys.add(self.headers.get("Authorization", ""))
            code, document = server.answer(self.path, body)
            data = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_the_warm_up(check: Check, tmp_path: Path) -> None:
    """Waits for the server, asks for each prompt once, tells what was there, and ends."""
    lines = [
        '"a text\\nof two lines"',
        "[1, 2, 3]",
        "",
        '"a text\\nof two lines"',
        f'"{"x" * 200}"',
    ]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines))
    server = Server()
    with served(server) as url:
        first = json.loads(check("the_warm_up", ENGINE_URL=url, VLLM_API_KEY="secret"))
        asked = list(server.asked)
        second = json.loads(check("the_warm_up", ENGINE_URL=url, VLLM_API_KEY="secret"))
    assert [body["prompt"] for body in asked] == ["a text\nof two lines", [1, 2, 3]]
    assert {(body["model"], body["max_tokens"]) for body in asked} == {("a-model", 1)}
    assert server.keys == {"Bearer secret"}
    assert "3 prompts of prompts.jsonl for a-model" in first[0]
    assert "prompt 3 was refused: 400" in first[1]
    assert "2 of 3 prompts, 40 tokens, 0 of them cached already, in" in first[2]
    assert "2 of 3 prompts, 40 tokens, 32 of them cached already, in" in second[2]
