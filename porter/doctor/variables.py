"""Variables that do nothing on Gaudi, or not what they seem to do.

The facts are those of docs/lmcache.md, of HCL's and the Gaudi bridge's sources, and of
vllm-gaudi at 091bbadda10b (2026-08-21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from porter.doctor.check import Found, Patient, Severity, check

_EXTENSION = "lmcache_hpu"
_BUCKET = re.compile(r"VLLM_(PROMPT|DECODE)_(BS|QUERY|SEQ|CTX|BLOCK)_BUCKET_\w+")
_LAZY = "PT_HPU_LAZY_MODE"


def _unset(*names: str) -> str:
    return f"unset {' '.join(names)}"


@check(Severity.WARNING)
def visible_devices(patient: Patient) -> Iterator[Found]:
    """Inside a container its runtime has left the variable there, which is no mistake."""
    value = patient.variables.get("HABANA_VISIBLE_DEVICES")
    if value is not None and not patient.in_container:
        yield Found(
            f"HABANA_VISIBLE_DEVICES={value} is set outside a container",
            "only the container runtime reads it, when it starts a container",
            "export HABANA_VISIBLE_MODULES=0,1 with the module ids that "
            "`hl-smi -Q index,module_id -f csv` shows; " + _unset("HABANA_VISIBLE_DEVICES"),
        )


@check(Severity.ERROR)
def visible_modules(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get("HABANA_VISIBLE_MODULES")
    if value is None:
        return
    ids = [part.strip() for part in value.split(",")]
    if not all(part.isdigit() and int(part) < 8 for part in ids):
        yield Found(
            f"HABANA_VISIBLE_MODULES={value!r}",
            "it is a list of module ids, 0 to 7, and must not be empty",
            "export HABANA_VISIBLE_MODULES=0,1, or " + _unset("HABANA_VISIBLE_MODULES"),
        )
    elif len(set(ids)) < len(ids):
        yield Found(
            f"HABANA_VISIBLE_MODULES={value} names a card twice",
            "ranks are given cards by their place in the list, and a card takes one process",
            "export HABANA_VISIBLE_MODULES=" + ",".join(dict.fromkeys(ids)),
        )


@check(Severity.WARNING)
def hccl_over_tcp(patient: Patient) -> Iterator[Found]:
    if "HCCL_OVER_TCP" in patient.variables:
        yield Found(
            "HCCL_OVER_TCP is set",
            "HCCL no longer has it: the network is chosen by itself, or by HCCL_OVER_OFI",
            _unset("HCCL_OVER_TCP") + "; export HCCL_SOCKET_IFNAME=eth0, your interface",
        )


@check(Severity.ERROR)
def gaudi_direct_without_ofi(patient: Patient) -> Iterator[Found]:
    for name in ("HCCL_GAUDI_DIRECT", "HCCL_PEER_DIRECT"):
        if patient.flag(name) and not patient.flag("HCCL_OVER_OFI"):
            yield Found(
                f"{name} is on without HCCL_OVER_OFI",
                "HCCL ends the process",
                f"export HCCL_OVER_OFI=1, or {_unset(name)}",
            )


@check(Severity.WARNING)
def hcl_comm_id(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get("HCL_COMM_ID")
    if value is not None and "HCCL_COMM_ID" not in patient.variables:
        yield Found(
            f"HCL_COMM_ID={value}",
            "a name of older documentation that HCCL does not read",
            f"export HCCL_COMM_ID={value}; " + _unset("HCL_COMM_ID"),
        )


@check(Severity.WARNING)
def cuda_variables(patient: Patient) -> Iterator[Found]:
    """NCCL_SOCKET_IFNAME too: the plugin hands it on to its workers, where nothing reads it."""
    names = sorted(
        name
        for name in patient.variables
        if name == "CUDA_VISIBLE_DEVICES" or name.startswith(("NCCL_", "PYTORCH_CUDA_"))
    )
    if names:
        yield Found(
            f"{', '.join(names)}: set",
            "CUDA's and NCCL's variables have no effect on Gaudi",
            _unset(*names) + "; HABANA_VISIBLE_MODULES and HCCL_… are Gaudi's",
        )


@check(Severity.ERROR)
def lazy_mode_value(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get(_LAZY)
    if value is not None and value not in ("0", "1"):
        yield Found(
            f"{_LAZY}={value}",
            "0 is eager mode and torch.compile, 1 is lazy mode, and there is no other",
            f"export {_LAZY}=0",
        )


@check(Severity.WARNING)
def force_skip_save(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get("LMCACHE_FORCE_SKIP_SAVE")
    if value:
        yield Found(
            f"LMCACHE_FORCE_SKIP_SAVE={value}",
            "LMCache saves nothing then: any text turns saving off, 0 and false too",
            _unset("LMCACHE_FORCE_SKIP_SAVE"),
        )


@check(Severity.WARNING)
def hash_seed(patient: Patient) -> Iterator[Found]:
    if "lmcache" not in patient.distributions:
        return
    value = patient.variables.get("PYTHONHASHSEED", "")
    if not value.isdigit():
        yield Found(
            f"PYTHONHASHSEED is {value or 'not set'}",
            "LMCache's keys are Python's hashes by default: with other seeds, processes find "
            "nothing of each other",
            "export PYTHONHASHSEED=0, the same everywhere",
        )


@check(Severity.ERROR)
def contiguous_pa(patient: Patient) -> Iterator[Found]:
    defragments = patient.variables.get("VLLM_DEFRAG", "true").lower() not in ("false", "0")
    if patient.flag("VLLM_CONTIGUOUS_PA") and defragments and "lmcache" in patient.distributions:
        yield Found(
            "VLLM_CONTIGUOUS_PA is on",
            "it turns prefix caching off and the defragmenter on, which moves blocks away from "
            "where LMCache looks for them: the connector refuses to start",
            "export VLLM_CONTIGUOUS_PA=false",
        )


@check(Severity.ERROR)
def vllm_plugins(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get("VLLM_PLUGINS")
    lmcache = patient.distributions.get("lmcache")
    if value is None or lmcache is None or not lmcache.is_ported:
        return
    if _EXTENSION not in [name.strip() for name in value.split(",")]:
        yield Found(
            f"VLLM_PLUGINS={value!r} leaves out {_EXTENSION}",
            "vLLM loads the plugins of the list alone, and does not know LMCache's connector",
            f"export VLLM_PLUGINS={','.join(filter(None, [value, _EXTENSION]))}",
        )


@check(Severity.WARNING)
def gpu_migration(patient: Patient) -> Iterator[Found]:
    lmcache = patient.distributions.get("lmcache")
    if patient.flag("PT_HPU_GPU_MIGRATION") and lmcache is not None and lmcache.is_ported:
        yield Found(
            "PT_HPU_GPU_MIGRATION is on",
            "the ported LMCache has no use for it, and other packages may take CUDA's branches",
            _unset("PT_HPU_GPU_MIGRATION"),
        )


@check(Severity.WARNING)
def exponential_bucketing(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get("VLLM_EXPONENTIAL_BUCKETING")
    if value is not None:
        strategy = "exp" if patient.flag("VLLM_EXPONENTIAL_BUCKETING") else "lin"
        yield Found(
            f"VLLM_EXPONENTIAL_BUCKETING={value}",
            "it is deprecated, and overrides VLLM_BUCKETING_STRATEGY",
            f"export VLLM_BUCKETING_STRATEGY={strategy}; " + _unset("VLLM_EXPONENTIAL_BUCKETING"),
        )


@check(Severity.WARNING)
def bucket_ranges(patient: Patient) -> Iterator[Found]:
    strategy = patient.variables.get("VLLM_BUCKETING_STRATEGY", "exp")
    names = sorted(filter(_BUCKET.fullmatch, patient.variables))
    # The size of a prefill batch, whatever the strategy is.
    unread = [name for name in names if name != "VLLM_PROMPT_BS_BUCKET_MAX"]
    if strategy == "exp" and unread:
        yield Found(
            f"{', '.join(unread)}: set, and the strategy is exponential",
            "the exponential strategy computes its ranges and overwrites these",
            "export VLLM_BUCKETING_STRATEGY=lin, or " + _unset(*unread),
        )


@check(Severity.WARNING)
def sequence_buckets(patient: Patient) -> Iterator[Found]:
    for name in sorted(patient.variables):
        if name.startswith("VLLM_PROMPT_SEQ_BUCKET_"):
            new = name.replace("_SEQ_", "_QUERY_")
            yield Found(
                f"{name}: set",
                "the name is deprecated, and is read only where the new one is not set",
                f"export {new}={patient.variables[name]}; " + _unset(name),
            )


@check(Severity.WARNING)
def graph_memory(patient: Patient) -> Iterator[Found]:
    value = patient.variables.get("VLLM_GRAPH_RESERVED_MEM")
    if value is None:
        return
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        yield Found(
            f"VLLM_GRAPH_RESERVED_MEM={value}",
            "it is a share of the usable memory, as 0.1; other text is taken for 0.1, and a share "
            "of 1 leaves nothing for the KV cache",
            "export VLLM_GRAPH_RESERVED_MEM=0.1",
        )


@check(Severity.WARNING)
def skip_warmup(patient: Patient) -> Iterator[Found]:
    if patient.flag("VLLM_SKIP_WARMUP"):
        yield Found(
            "VLLM_SKIP_WARMUP is on",
            "the graph of each shape is then compiled while its first request waits",
            _unset("VLLM_SKIP_WARMUP"),
        )


@check(Severity.ERROR)
def files_of_variables(patient: Patient) -> Iterator[Found]:
    for name in ("LMCACHE_CONFIG_FILE", "QUANT_CONFIG", "VLLM_BUCKETING_FROM_FILE"):
        if patient.variables.get(name) and not patient.is_file(name):
            yield Found(
                f"{name}={patient.variables[name]}: there is no such file",
                "what it should configure is not read",
                f"give {name} a file that exists, or {_unset(name)}",
            )
