"""A plan as a JSON document: ``plan.schema.json``."""

from __future__ import annotations

from typing import Any

from porter.plan.cache import BLOCK
from porter.plan.fit import Fit
from porter.plan.plan import Option, Plan
from porter.plan.transfer import CHUNK

SCHEMA_VERSION = 1


def to_document(plan: Plan) -> dict[str, Any]:
    """Sizes are bytes, speeds bytes a second, contexts tokens."""
    shape, want = plan.shape, plan.want
    return {
        "schema_version": SCHEMA_VERSION,
        "model": shape.model.name,
        "source": shape.model.source,
        "parameters": shape.count().total + shape.model.other_parameters,
        "context": want.context,
        "concurrency": want.concurrency,
        "card": plan.plant.card.name,
        "weight_bytes": plan.weight_bytes,
        "weights_from": "checkpoint" if plan.plant.checkpoint is not None else "formula",
        "quantization": plan.plant.quantization.name,
        "kv_cache_bytes": plan.kv_cache_bytes,
        "kv_cache": {
            "block_size": BLOCK,
            "bytes_per_number": want.number,
            "token_bytes": plan.token_bytes,
            "sequence_bytes": plan.sequence_bytes,
            "plugin_bytes": plan.plugin_bytes,
            "layers": [
                {
                    "kind": row.kind,
                    "layers": row.layers,
                    "token_bytes": row.token,
                    "page_bytes": row.page,
                    "sequence_bytes": row.sequence,
                }
                for row in plan.rows
            ],
        },
        "fits": plan.fits,
        "cards": None if plan.chosen is None else plan.chosen.cards,
        "options": [_option(option) for option in plan.options],
        "vllm_args": plan.args,
        "environment": plan.environment,
        "bucket_ranges": plan.buckets,
        "lmcache": _lmcache(plan),
        "notes": list(plan.notes),
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        **_fit(option.fit),
        "longest_context": option.longest_context,
        "most_sequences": option.most_sequences,
    }


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "cards": fit.cards,
        "fits": fit.fits,
        "weight_bytes": fit.weights,
        "cache_bytes": fit.cache,
        "cache_room_bytes": fit.room,
        "workspace_bytes": fit.workspace,
        "workspace_room_bytes": fit.margin,
        "gpu_memory_utilization": round(fit.utilization, 2),
    }


def _lmcache(plan: Plan) -> dict[str, Any] | None:
    transfer = plan.transfer
    if transfer is None:
        return None
    return {
        "chunk_size": CHUNK,
        "chunk_bytes": transfer.chunk,
        "token_bytes": transfer.token,
        "sequence_bytes": transfer.sequence,
        "bytes_per_second": transfer.speed,
        "store_seconds": transfer.seconds,
        "load_seconds": transfer.seconds,
        "storing_workers": transfer.workers,
        "max_local_cpu_size": transfer.local_cpu_gib,
    }
