"""Each check has an environment in which it fires, and one like it in which it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import porter.doctor
from porter.doctor.check import CHECKS, Severity
from porter.doctor.examine import examine, to_document, to_text


@dataclass(frozen=True)
class Env:
    packages: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def env(*packages: str, more: dict[str, Any] | None = None, **variables: str) -> Env:
    return Env(packages, variables, more or {})


PORT = "!lmcache==0.5.6+hpu.1"
VLLM = "vllm==0.26.0+empty"
#: check: (sick, sound), or several pairs.
CASES: dict[str, list[tuple[Env, Env]]] = {
    "visible-devices": [
        (env(HABANA_VISIBLE_DEVICES="all"), env(HABANA_VISIBLE_MODULES="0,1")),
        (
            env(HABANA_VISIBLE_DEVICES="0"),
            env(HABANA_VISIBLE_DEVICES="0", more={"in_container": True}),
        ),
    ],
    "visible-modules": [
        (env(HABANA_VISIBLE_MODULES=""), env()),
        (env(HABANA_VISIBLE_MODULES="0,8"), env(HABANA_VISIBLE_MODULES="0, 7")),
        (env(HABANA_VISIBLE_MODULES="0,0"), env(HABANA_VISIBLE_MODULES="1,0")),
    ],
    "hccl-over-tcp": [(env(HCCL_OVER_TCP="1"), env(HCCL_SOCKET_IFNAME="eth0"))],
    "gaudi-direct-without-ofi": [
        (env(HCCL_GAUDI_DIRECT="1"), env(HCCL_GAUDI_DIRECT="1", HCCL_OVER_OFI="1")),
        (env(HCCL_PEER_DIRECT="1"), env(HCCL_PEER_DIRECT="0")),
    ],
    "hcl-comm-id": [(env(HCL_COMM_ID="a:1"), env(HCCL_COMM_ID="a:1"))],
    "cuda-variables": [
        (env(CUDA_VISIBLE_DEVICES="0"), env(HABANA_VISIBLE_MODULES="0")),
        (env(NCCL_SOCKET_IFNAME="eth0"), env(HCCL_SOCKET_IFNAME="eth0")),
    ],
    "lazy-mode-value": [(env(PT_HPU_LAZY_MODE="2"), env(PT_HPU_LAZY_MODE="1"))],
    "force-skip-save": [(env(LMCACHE_FORCE_SKIP_SAVE="0"), env(LMCACHE_FORCE_SKIP_SAVE=""))],
    "hash-seed": [
        (env(PORT), env(PORT, PYTHONHASHSEED="0")),
        (env(PORT, PYTHONHASHSEED="random"), env()),
    ],
    "contiguous-pa": [
        (env(PORT, VLLM_CONTIGUOUS_PA="true"), env(PORT, VLLM_CONTIGUOUS_PA="false")),
        (
            env(PORT, VLLM_CONTIGUOUS_PA="1"),
            env(PORT, VLLM_CONTIGUOUS_PA="1", VLLM_DEFRAG="false"),
        ),
        (env(PORT, VLLM_CONTIGUOUS_PA="1"), env(VLLM_CONTIGUOUS_PA="1")),
    ],
    "vllm-plugins": [(env(PORT, VLLM_PLUGINS="hpu"), env(PORT, VLLM_PLUGINS="hpu,lmcache_hpu"))],
    "gpu-migration": [(env(PORT, PT_HPU_GPU_MIGRATION="1"), env(PT_HPU_GPU_MIGRATION="1"))],
    "exponential-bucketing": [
        (env(VLLM_EXPONENTIAL_BUCKETING="true"), env(VLLM_BUCKETING_STRATEGY="exp"))
    ],
    "bucket-ranges": [
        (
            env(VLLM_DECODE_BLOCK_BUCKET_MAX="9"),
            env(VLLM_DECODE_BLOCK_BUCKET_MAX="9", VLLM_BUCKETING_STRATEGY="lin"),
        ),
        (env(VLLM_PROMPT_QUERY_BUCKET_MIN="1"), env(VLLM_PROMPT_BS_BUCKET_MAX="1")),
    ],
    "sequence-buckets": [
        (env(VLLM_PROMPT_SEQ_BUCKET_MAX="9"), env(VLLM_PROMPT_QUERY_BUCKET_MAX="9"))
    ],
    "graph-memory": [
        (env(VLLM_GRAPH_RESERVED_MEM="10%"), env(VLLM_GRAPH_RESERVED_MEM="0.1")),
        (env(VLLM_GRAPH_RESERVED_MEM="1"), env(VLLM_GRAPH_RESERVED_MEM="0")),
    ],
    "skip-warmup": [(env(VLLM_SKIP_WARMUP="true"), env(VLLM_SKIP_WARMUP="false"))],
    "files-of-variables": [
        (env(LMCACHE_CONFIG_FILE="/nowhere.yaml"), env(LMCACHE_CONFIG_FILE=__file__)),
        (env(QUANT_CONFIG="/nowhere.json"), env(QUANT_CONFIG=__file__)),
    ],
    "cuda-packages": [
        (env("nvidia-cublas-cu12==12.4"), env("numpy==2.0")),
        (env("cupy-cuda12x==13.0"), env("cuda==1.0")),
        (env("nixl-cu12==1.0"), env("nixl==1.0")),
    ],
    "cuda-torch": [
        (env("torch==2.9.0+cu128"), env("torch==2.9.0+cpu")),
        (env("torchvision==0.24.0+cu128"), env("torchvision==0.24.0")),
    ],
    "lazy-mode-torch": [
        (
            env("torch==2.9.0+cpu", PT_HPU_LAZY_MODE="1"),
            env("torch==2.9.0+cpu", PT_HPU_LAZY_MODE="0"),
        ),
        (
            env("torch==2.9.0", PT_HPU_LAZY_MODE="1"),
            env("torch==2.7.1+hpu.1.22", PT_HPU_LAZY_MODE="1"),
        ),
        (
            env("torch==2.9.0.dev1+cpu", PT_HPU_LAZY_MODE="1"),
            env("torch==2.5.1a0+git1234", PT_HPU_LAZY_MODE="1"),
        ),
        (
            env("torch==2.9.0.dev1+cpu", PT_HPU_LAZY_MODE="1"),
            env("torch==2.5.1a0", PT_HPU_LAZY_MODE="1"),
        ),
    ],
    "cuda-vllm": [(env("vllm==0.26.0"), env(VLLM))],
    "no-gaudi-plugin": [(env(VLLM), env(VLLM, "vllm-gaudi==0.26.0"))],
    "no-bridge": [
        (
            env("vllm-gaudi==0.26.0"),
            env("vllm-gaudi==0.26.0", "habana-torch-plugin==1.24.1.5"),
        )
    ],
    "plugin-of-another-vllm": [(env(VLLM, "vllm-gaudi==0.24.0"), env(VLLM, "vllm-gaudi==0.26.1"))],
    "software-of-another-vllm": [
        (
            env(VLLM, "habana-torch-plugin==1.23.0.695"),
            env(VLLM, "habana-torch-plugin==1.24.1.12"),
        ),
        # What the page does not list is nobody's fault.
        (
            env("vllm==0.11.2", "habana-torch-plugin==1.24.0.1"),
            env("vllm==0.27.1", "habana-torch-plugin==1.20.0.1"),
        ),
    ],
    "mixed-software": [
        (
            env("habana-torch-plugin==1.24.1.5", "habana-media-loader==1.23.0.5"),
            env("habana-torch-plugin==1.24.1.5", "habana-media-loader==1.24.1.6"),
        )
    ],
    "old-names": [(env("vllm-hpu==0.1"), env("vllm-gaudi==0.26.0"))],
    "upstream-lmcache": [(env("lmcache==0.5.6"), env(PORT))],
    "installed-twice": [
        (env("lmcache==0.5.6", PORT), env("lmcache==0.5.6", "lmcache-cli==0.5.6")),
    ],
    "damaged-port": [
        (env(PORT, more={"damaged": True}), env(PORT)),
        (env(PORT, more={"damaged": True}), env("lmcache==0.5.6", more={"damaged": True})),
    ],
    "lmcache-of-another-vllm": [
        (
            env("!lmcache==0.3.7+hpu.1", "vllm==0.11.2"),
            env("!lmcache==0.3.7+hpu.1", "vllm==0.11.0"),
        ),
        (
            env("!lmcache==0.3.9.post2+hpu.1", "vllm==0.22.1"),
            env("!lmcache==0.3.9.post2+hpu.1", "vllm==0.20.2"),
        ),
        (env("!lmcache==0.3.12+hpu.1", "vllm==0.32.0"), env(PORT, "vllm==0.32.0+empty")),
    ],
    "requirements-of-the-port": [
        (env(PORT, more={"unmet": {"lmcache": "aiofile>=3"}}), env(PORT)),
        (
            env(PORT, more={"unmet": {"lmcache": "aiofile>=3"}}),
            env(PORT, "vllm==1.0", more={"unmet": {"vllm": "ray"}}),
        ),
    ],
}


def found(patient, of: Env) -> dict[str, Any]:
    return {
        finding.check: finding
        for finding in examine(patient(*of.packages, variables=of.variables, **of.more))
    }


@pytest.mark.parametrize(
    ("name", "sick"), [(name, sick) for name, pairs in CASES.items() for sick, _ in pairs]
)
def test_it_fires(patient, name, sick):
    finding = found(patient, sick)[name]
    assert all(text.strip() for text in (finding.what, finding.why, finding.cure))


@pytest.mark.parametrize(
    ("name", "sound"), [(name, sound) for name, pairs in CASES.items() for _, sound in pairs]
)
def test_it_does_not(patient, name, sound):
    assert name not in found(patient, sound)


def test_every_check_has_both():
    assert set(CASES) == set(CHECKS)
    assert len(CHECKS) >= 30


def test_a_sound_environment(patient):
    sound = env(
        PORT,
        VLLM,
        "vllm-gaudi==0.26.0",
        "habana-torch-plugin==1.24.1.5",
        "torch==2.11.0+cpu",
        PYTHONHASHSEED="0",
        PT_HPU_LAZY_MODE="0",
        HABANA_VISIBLE_MODULES="0,1,2,3",
    )
    assert found(patient, sound) == {}
    assert "33 checks, nothing found" in to_text(()).plain


def test_the_cure_names_what_is_to_go(patient):
    sick = env("nvidia-cublas-cu12==12.4", "cupy-cuda12x==13.0")
    cure = found(patient, sick)["cuda-packages"].cure
    assert cure == "python -m pip uninstall -y cupy-cuda12x nvidia-cublas-cu12"


def test_errors_come_first(patient):
    findings = examine(
        patient("lmcache==0.5.6", variables={"HCCL_OVER_TCP": "1", "PT_HPU_LAZY_MODE": "3"})
    )
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=lambda each: each is Severity.WARNING)
    assert {Severity.ERROR, Severity.WARNING} == set(severities)


def test_json_keeps_the_schema(patient):
    schema = json.loads((Path(porter.doctor.__file__).parent / "doctor.schema.json").read_text())
    document = to_document(examine(patient("lmcache==0.5.6", variables={"HCCL_OVER_TCP": "1"})))
    jsonschema.validate(document, schema)
    assert {row["check"] for row in document["findings"]} >= {"upstream-lmcache", "hccl-over-tcp"}


def test_text_has_all_three(patient):
    text = to_text(examine(patient(variables={"HCCL_OVER_TCP": "1"}))).plain
    assert "warning: HCCL_OVER_TCP is set  [hccl-over-tcp]" in text
    assert "    why:  " in text
    assert "    cure: unset HCCL_OVER_TCP" in text
    assert text.endswith("33 checks, 1 found")


def test_the_page_lists_every_check():
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    assert [name for name in CHECKS if f"`{name}`" not in page] == []
