"""Serve the numbers of LMCache to Prometheus, at ``/metrics`` of a port in each process.

``hpu_exporter_port`` is the scheduler's port, 9464 by default, and worker i has the i+1st after
it, as LMCache numbers its own; ``hpu_exporter_host`` is the address, 127.0.0.1 by default.
The scheduler's has what requests were told of; with ``internal_api_server_enabled``, each has what
LMCache counts in its process.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from lmcache.hpu.plugins.base import Plugin
from lmcache.hpu.plugins.internal_api import InternalApi, offset
from lmcache.hpu.plugins.stats import RequestStats
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


class PrometheusExporter(Plugin):
    def on_startup(self) -> None:
        registry = CollectorRegistry()
        self._requests = Requests()
        if self.role != "worker":  # a request that every process counted would be many
            registry.register(self._requests)
        api = InternalApi(self.config, self.worker_id)
        if api.enabled:
            registry.register(OfLMCache(api))
        else:
            self.log("exporter: LMCache's own numbers need internal_api_server_enabled: true")
        host = self.setting("exporter_host", "127.0.0.1")
        port = self.setting("exporter_port", 9464) + offset(self.worker_id)
        try:
            start_http_server(port, host, registry)
        except OSError as error:
            sys.exit(f"exporter: {host}:{port}: {error}; set hpu_exporter_port to another")
        self.log(f"exporter: http://{host}:{port}/metrics")

    def on_request_complete(self, request_id: str, stats: RequestStats) -> None:
        self._requests.add(stats)
        self._requests.missed = self.missed


class Requests(Collector):
    """What the scheduler told of requests, as plain numbers.

    They are none of prometheus_client's own, which would write files into vLLM's folder for
    several processes.
    """

    def __init__(self) -> None:
        self.missed = 0
        self._ended: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._hits = 0
        self._seconds = 0.0

    def add(self, stats: RequestStats) -> None:
        self._ended[stats.finish_reason] += 1
        self._tokens["prompt"] += stats.prompt_tokens
        self._tokens["output"] += stats.output_tokens
        self._tokens["prefix"] += stats.prefix_tokens
        self._tokens["loaded"] += stats.loaded_tokens
        self._hits += stats.cache_hit
        self._seconds += stats.seconds

    def collect(self) -> Iterator[Metric]:
        ended = CounterMetricFamily(
            "lmcache_hpu_requests", "Requests that ended", labels=["finish_reason"]
        )
        for reason, count in list(self._ended.items()):
            ended.add_metric([reason], count)
        yield ended
        counted = {
            "lmcache_hpu_requests_missed": ("Ended without a word to the exporter", self.missed),
            "lmcache_hpu_request_hits": ("Requests that LMCache had tokens for", self._hits),
            "lmcache_hpu_prompt_tokens": ("Tokens of prompts", self._tokens["prompt"]),
            "lmcache_hpu_output_tokens": ("Tokens that were generated", self._tokens["output"]),
            "lmcache_hpu_prefix_tokens": (
                "Tokens of prompts that vLLM's prefix cache had",
                self._tokens["prefix"],
            ),
            "lmcache_hpu_loaded_tokens": (
                "Tokens of prompts that LMCache loaded",
                self._tokens["loaded"],
            ),
        }
        for name, (text, value) in counted.items():
            yield CounterMetricFamily(name, text, value=value)
        total = self._tokens["prompt"]
        yield GaugeMetricFamily(
            "lmcache_hpu_hit_ratio",
            "Tokens that LMCache loaded, of all tokens of prompts",
            value=self._tokens["loaded"] / total if total else 0.0,
        )
        yield SummaryMetricFamily(
            "lmcache_hpu_request_seconds",
            "From a request's arrival to its end",
            count_value=sum(self._ended.values()),
            sum_value=self._seconds,
        )


class OfLMCache(Collector):
    """What LMCache counts in the process that launched this one."""

    def __init__(self, api: InternalApi) -> None:
        self._api = api

    def describe(self) -> list[Metric]:
        """Nothing is asked before the first scrape: the server may not be up yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("lmcache_hpu_internal_api_up", "Whether LMCache gave its numbers")
        try:
            text = self._api.metrics()
        except OSError:
            text = ""
        up.add_metric([], float(bool(text)))
        yield up
        for family in text_string_to_metric_families(text):
            if family.name.startswith("lmcache"):
                yield family


if __name__ == "__main__":
    PrometheusExporter.main()
