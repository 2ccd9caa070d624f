"""Plugins beside an engine: started as ``plugin_checks.py CHECK RELEASE`` in a folder of its own.

Upstream's own launcher starts them, with upstream's own configuration, and what they are told comes
from our announcer. vLLM's scheduler is a stand-in: the methods of the connector that it calls are
four, and a request is the handful of attributes that they read.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import time
from enum import Enum
from importlib import import_module
from pathlib import Path
from socket import create_server
from types import SimpleNamespace
from typing import Any
from urllib.request import ProxyHandler, build_opener

from packaging.version import Version

from porter.emulator.install import emulated, install

install()
import_module("habana_frameworks.torch")

from lmcache.hpu.plugins import announcer as announcing  # noqa: E402
from lmcache.hpu.plugins import scripts  # noqa: E402
from lmcache.v1.config import LMCacheEngineConfig  # noqa: E402

CHECK, RELEASE = sys.argv[1:3]
OLD = Version(RELEASE) < Version("0.3.10.post1")
PATIENCE = 120.0  # seconds, for what has to come
HEAD = "from lmcache.hpu.plugins.base import Plugin\n"


class KVConnectorRole(Enum):
    """vLLM's, which the older launcher is given."""

    SCHEDULER = 0
    WORKER = 1


class Log(logging.Handler):
    """The lines that the launcher logs, plugins' own among them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put(record.getMessage())

    def wait_for(self, *words: str) -> str:
        """The first line, new or seen, that has all of ``words``."""
        for line in self.seen:
            if all(word in line for word in words):
                return line
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError("\n".join([f"no line has {words}:", *self.seen])) from None
            self.seen.append(line)
            if all(word in line for word in words):
                return line


LOG = Log()
LAUNCHED: list[Any] = []


def launch(*files: Path, role: str = "scheduler", worker_id: int = -1, **config: Any) -> Any:
    """Upstream's launcher after it launched ``files``; its ``config`` is the real one."""
    module = "plugin_launcher" if OLD else "runtime_plugin_launcher"
    upstream = import_module(f"lmcache.v1.plugin.{module}")
    if LOG not in upstream.logger.handlers:
        upstream.logger.addHandler(LOG)
    key = "plugin_locations" if OLD else "runtime_plugin_locations"
    made = LMCacheEngineConfig.from_defaults(**{key: [str(file) for file in files]}, **config)
    as_given = KVConnectorRole[role.upper()] if OLD else role
    kind = upstream.PluginLauncher if OLD else upstream.RuntimePluginLauncher
    launcher = kind(made, as_given, 2, worker_id)
    launcher.launch_plugins()
    LAUNCHED.append(launcher)
    return launcher


def announce(launcher: Any) -> Any:
    made = announcing.announcer(launcher.config)
    assert made is not None
    return made


def name_socket(engine_id: str) -> None:
    config = SimpleNamespace(kv_transfer_config=SimpleNamespace(engine_id=engine_id))
    announcing.name_socket(config)


def request(name: str, prompt: int = 300, output: int = 7, reason: str = "stop") -> Any:
    return SimpleNamespace(
        request_id=name,
        num_prompt_tokens=prompt,
        num_output_tokens=output,
        arrival_time=time.time() - 2,
        get_finished_reason=lambda: reason,
    )


def until_heard(announcer: Any, *words: str) -> None:
    """Finish requests until a plugin has connected and says so."""
    for number in range(int(PATIENCE / 0.05)):
        announcer.finished(request(f"early-{number}"))
        if announcer._plugins:
            LOG.wait_for("heard early-", *words)
            return
        time.sleep(0.05)
    raise AssertionError("\n".join(["no plugin connects:", *LOG.seen]))


def script(name: str, body: str) -> Path:
    file = Path(name)
    file.write_text(HEAD + body)
    return file


LISTENER = """
class Listener(Plugin):
    def on_startup(self):
        print("up", self.role, self.worker_id, "of", self.worker_count, self.config["chunk_size"])
    def on_request_complete(self, request_id, stats):
        print("heard", request_id, stats, stats.cached_tokens, stats.cache_hit, self.missed)
    def on_shutdown(self):
        self.log("down")

if __name__ == "__main__":
    Listener.main()
"""


def check_a_plugin_hears_of_requests() -> None:
    launcher = launch(script("scheduler_listener.py", LISTENER), chunk_size=512)
    announcer = announce(launcher)
    LOG.wait_for("up scheduler -1 of 2 512")
    until_heard(announcer)
    hit, miss = request("hit", 300, 7), request("miss", 5, 1, "length")
    announcer.looked_up(hit, 64)
    announcer.scheduled(hit, 128)
    announcer.looked_up(hit, 299)  # after a preemption
    announcer.finished(hit)
    announcer.finished(miss)
    line = LOG.wait_for("heard hit")
    assert "prompt_tokens=300, output_tokens=7, prefix_tokens=64, loaded_tokens=128" in line
    assert "finish_reason='stop'" in line
    assert line.endswith(" 192 True 0")
    line = LOG.wait_for("heard miss")
    assert "prefix_tokens=0, loaded_tokens=0, finish_reason='length'" in line
    assert line.endswith(" 0 False 0")
    ends(launcher)
    LOG.wait_for("down")


def ends(launcher: Any) -> None:
    """Upstream's stop signal ends every plugin, and in order."""
    launcher.stop_plugins()
    for process in launcher.plugin_processes:
        assert process.wait(PATIENCE) == 0


def check_the_launcher_chooses_by_name() -> None:
    files = [script(f"{role}_listener.py", LISTENER) for role in ("scheduler", "worker", "all")]
    files.append(script("worker_1_listener.py", LISTENER))
    launcher = launch(*files, role="worker", worker_id=0)
    assert len(launcher.plugin_processes) == 2
    LOG.wait_for("worker_listener.py", "up worker 0 of 2")
    LOG.wait_for("all_listener.py", "up worker 0 of 2")
    ends(launcher)
    # The exporter and the user's, and the warm-up beside them.
    assert len(launch(*scripts(), role="worker", worker_id=0).plugin_processes) == 2
    assert len(launch(*scripts(), role="scheduler").plugin_processes) == 3


def check_a_worker_s_plugin_hears_of_requests_too() -> None:
    launcher = launch(script("worker_0_listener.py", LISTENER), role="worker", worker_id=0)
    LOG.wait_for("up worker 0")
    until_heard(announce(launcher))  # the scheduler comes up later than a worker
    ends(launcher)


def check_a_plugin_that_dies_hurts_nobody() -> None:
    dies = LISTENER.replace('print("heard"', 'import os; os._exit(3); print("heard"')
    fails = LISTENER.replace('print("heard"', 'print("heard", request_id); 1 / 0; print("heard"')
    never = LISTENER.replace('print("up"', 'raise RuntimeError("no start"); print("up"')
    launcher = launch(
        script("all_dies.py", dies), script("all_fails.py", fails), script("all_never.py", never)
    )
    announcer = announce(launcher)
    LOG.wait_for("all_never.py", "exited with code 1")
    assert any("RuntimeError: no start" in line for line in LOG.seen)
    until_heard(announcer, "all_fails.py")
    LOG.wait_for("all_fails.py", "ZeroDivisionError")
    dying, failing, _ = launcher.plugin_processes
    while dying.poll() is None:
        announcer.finished(request("more"))
        time.sleep(0.01)
    LOG.wait_for("all_dies.py", "exited with code 3")
    announcer.finished(request("last"))
    LOG.wait_for("all_fails.py", "heard last")
    assert len(announcer._plugins) == 1
    launcher.stop_plugins()
    assert failing.wait(PATIENCE) == 0


def check_a_slow_plugin_stops_nobody() -> None:
    slow = LISTENER.replace(
        'self.missed)', 'self.missed, flush=True)\n        if request_id == "stuck": input()'
    )  # fmt: skip
    reader, writer = os.pipe()
    os.dup2(reader, 0)  # what the plugin waits for does not come until it is written
    launcher = launch(script("scheduler_slow.py", slow))
    announcer = announce(launcher)
    until_heard(announcer)
    announcer.finished(request("stuck"))
    LOG.wait_for("heard stuck")
    total = 5000
    for number in range(total):
        announcer.finished(request(f"flood-{number}"))
    (plugin,) = announcer._plugins
    assert 0 < plugin.missed < total
    missed = plugin.missed
    os.write(writer, b"\n")
    LOG.wait_for(f"heard flood-{total - missed - 1} ")
    announcer.finished(request("after"))
    assert LOG.wait_for("heard after").endswith(f" {missed}")
    announcer.finished(request("stuck"))
    LOG.wait_for(f"False {missed}", "heard stuck")
    ends(launcher)


def check_nothing_exists_without_plugins() -> None:
    config = LMCacheEngineConfig.from_defaults()
    assert announcing.announcer(config) is None


def check_a_killed_engine_leaves_nothing_behind() -> None:
    """This process starts itself again, as the engine that is killed."""
    command = [sys.executable, __file__, "engine", RELEASE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        plugins = [int(engine.stdout.readline()), int(engine.stdout.readline())]
        assert all(map(is_alive, plugins))
        engine.send_signal(signal.SIGKILL)
    end = time.monotonic() + PATIENCE
    while any(map(is_alive, plugins)):
        assert time.monotonic() < end, "a plugin outlives its engine"
        time.sleep(0.1)
    assert Path("down").read_text() == "down"


def engine() -> None:
    quiet = LISTENER.replace('self.log("down")', 'open("down", "w").write("down")')
    waits = LISTENER.replace('print("up"', "import time; time.sleep(3600); print('up'")
    launcher = launch(script("all_quiet.py", quiet), script("all_waits.py", waits))
    LOG.wait_for("up scheduler")
    for process in launcher.plugin_processes:
        print(process.pid, flush=True)
    signal.pause()


def is_alive(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def check_the_warm_up() -> None:
    """``ENGINE_URL`` is the server of the test; the file is in this folder."""
    extra = {"hpu_engine_url": os.environ["ENGINE_URL"], "hpu_warmup_prompts": "prompts.jsonl"}
    (file,) = [path for path in scripts() if path.name == "scheduler_cache_warmup.py"]
    launcher = launch(file, extra_config=extra)
    LOG.wait_for("exited with code 0")
    assert launcher.plugin_processes[0].poll() == 0
    print(json.dumps([line for line in LOG.seen if "warm-up: " in line]))


def check_a_user_s_plugin() -> None:
    """It was ported with the package, and uses the device."""
    os.environ.update(emulated(os.environ))
    (file,) = [path for path in scripts() if path.parent.name == "user"]
    launcher = launch(file)
    announcer = announce(launcher)
    LOG.wait_for("devices 1")
    hit = request("hit")
    for _ in range(int(PATIENCE / 0.05)):
        announcer.scheduled(hit, 128)
        announcer.finished(hit)
        if announcer._plugins:
            break
        time.sleep(0.05)
    LOG.wait_for("Request hit: cache hit!")
    ends(launcher)


def scraped(port: int) -> dict[str, float]:
    """Samples by name and reason or model, as Prometheus' own parser reads them."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            ",".join([sample.name, *chosen(sample.labels)]): sample.value
            for family in families
            for sample in family.samples
        }


def chosen(labels: dict[str, str]) -> list[str]:
    """Some releases of LMCache have more labels than others."""
    return [labels[key] for key in ("finish_reason", "model_name") if key in labels]


def free_ports(count: int) -> int:
    """The first of ``count`` neighbours."""
    for first in range(30_000, 60_000, 97):
        taken = []
        try:
            taken = [create_server(("127.0.0.1", first + number)) for number in range(count)]
            return first
        except OSError:
            continue
        finally:
            for server in taken:
                server.close()
    raise AssertionError("no ports")


def exporter() -> Path:
    return next(path for path in scripts() if path.name == "all_prometheus_exporter.py")


def check_the_exporter_counts_requests() -> None:
    first = free_ports(3)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(Path.cwd())
    before = set(Path.cwd().iterdir())
    extra = {"hpu_exporter_port": first}
    launcher = launch(exporter(), extra_config=extra)
    worker = launch(exporter(), role="worker", worker_id=1, extra_config=extra)
    LOG.wait_for(f"exporter: http://127.0.0.1:{first}/metrics")
    LOG.wait_for(f"exporter: http://127.0.0.1:{first + 2}/metrics")
    assert scraped(first)["lmcache_hpu_hit_ratio"] == 0
    announcer = announce(launcher)
    connected(announcer, 2)
    heard = scraped(first)["lmcache_hpu_requests_total,abort"]
    hit = request("hit", 400, 7)
    announcer.looked_up(hit, 100)
    announcer.scheduled(hit, 200)
    announcer.finished(hit)
    numbers = scraped(first)
    while "lmcache_hpu_requests_total,stop" not in numbers:
        numbers = scraped(first)
    for name, value in {
        "requests_total,stop": 1,
        "requests_total,abort": heard,
        "requests_missed_total": 0,
        "request_hits_total": 1,
        "prompt_tokens_total": 400,
        "output_tokens_total": 7,
        "prefix_tokens_total": 100,
        "loaded_tokens_total": 200,
        "hit_ratio": 0.5,
        "request_seconds_count": heard + 1,
    }.items():
        assert numbers[f"lmcache_hpu_{name}"] == value, name
    assert 2 <= numbers["lmcache_hpu_request_seconds_sum"] / (heard + 1) < PATIENCE
    assert not [name for name in scraped(first + 2) if "request" in name]
    assert set(Path.cwd().iterdir()) == before, "files in vLLM's folder for Prometheus"
    ends(launcher)
    ends(worker)


def connected(announcer: Any, count: int) -> None:
    """Empty requests that were given up, until ``count`` plugins hear of them."""
    end = time.monotonic() + PATIENCE
    while len(announcer._plugins) < count:
        assert time.monotonic() < end, LOG.seen
        announcer.finished(request("none", 0, 0, "abort"))
        time.sleep(0.05)


def check_a_port_that_is_taken() -> None:
    first = free_ports(2)
    with create_server(("127.0.0.1", first)):
        launch(exporter(), extra_config={"hpu_exporter_port": first})
        LOG.wait_for("exited with code 1")
    LOG.wait_for(f"127.0.0.1:{first}: ", "Address already in use; set hpu_exporter_port")
    os.environ["LMCACHE_HPU_EXPORTER_PORT"] = str(first + 1)
    launcher = launch(exporter(), extra_config={"hpu_exporter_port": first})
    LOG.wait_for(f"exporter: http://127.0.0.1:{first + 1}/metrics")
    ends(launcher)


def check_the_exporter_has_lmcache_s_own_numbers(socket: bool = False) -> None:
    """Upstream's server and upstream's counters, of a worker; the engine around them is none."""
    first, config = free_ports(4), {"internal_api_server_enabled": True}
    config["internal_api_server_port_start"] = first
    if socket:
        config["internal_api_server_socket_path_prefix"] = f"{Path.cwd()}/api"
    launcher = launch(
        exporter(),
        role="worker",
        worker_id=0,
        extra_config={"hpu_exporter_port": first + 2},
        **config,
    )
    LOG.wait_for(f"exporter: http://127.0.0.1:{first + 3}/metrics")
    assert scraped(first + 3)["lmcache_hpu_internal_api_up"] == 0
    serve(launcher.config)
    numbers = scraped(first + 3)
    end = time.monotonic() + PATIENCE
    while not numbers["lmcache_hpu_internal_api_up"]:
        assert time.monotonic() < end
        numbers = scraped(first + 3)
    assert numbers["lmcache:num_hit_tokens_total,a-model"] == 256
    assert numbers["lmcache:num_requested_tokens_total,a-model"] == 512
    assert numbers["lmcache:retrieve_hit_rate,a-model"] == 0.5
    assert not [name for name in numbers if name.startswith(("python", "process"))]
    ends(launcher)


def check_the_exporter_reads_a_socket() -> None:
    check_the_exporter_has_lmcache_s_own_numbers(socket=True)


def serve(config: Any) -> None:
    observability = import_module("lmcache.observability")
    monitor = observability.LMCStatsMonitor.GetOrCreate()
    retrieval = monitor.on_retrieve_request(512)
    monitor.on_retrieve_finished(retrieval, 256)
    metadata = SimpleNamespace(model_name="a-model", worker_id=0, role="worker")
    metadata.served_model_name = None
    counters = observability.PrometheusLogger.GetOrCreate(metadata)
    counters.log_prometheus(monitor.get_stats_and_clear())
    server = import_module("lmcache.v1.internal_api_server.api_server").InternalAPIServer
    engine = SimpleNamespace(config=config, metadata=metadata)
    server(SimpleNamespace(config=config, lmcache_engine=engine)).start()


if __name__ == "__main__":
    name_socket(f"engine-{os.getpid()}")
    if CHECK == "engine":
        engine()
    globals()[f"check_{CHECK}"]()
    for launcher in LAUNCHED:
        launcher.stop_plugins()
        for process in launcher.plugin_processes:
            process.wait(PATIENCE)
