from __future__ import annotations

import pytest

from porter.validate.requirements import cuda_requirements

HEADER = "Metadata-Version: 2.1\nName: pkg\n"


def found(*requirements: str) -> list[tuple[int, bool]]:
    text = HEADER + "".join(f"Requires-Dist: {item}\n" for item in requirements) + "\nprose\n"
    return [(item.failure.line, item.is_optional) for item in cuda_requirements(text, "METADATA")]


@pytest.mark.parametrize(
    "requirement",
    [
        "cupy-cuda13x",
        "cupy",
        "cuda-python<14,>=13",
        "cuda-bindings",
        "Cufile.Python",
        "nvidia-cublas-cu12",
        "nvidia-ml-py",
        "pynvml>=11",
        "triton==3.1.0; platform_system == 'Linux'",
        "flash_attn",
        "xformers",
        "bitsandbytes[all]",
        "nixl; python_version < '3.13'",
        "torch==2.5.1+cu121",
    ],
)
def test_cuda_only(requirement: str) -> None:
    assert found("numpy", requirement) == [(4, False)]


@pytest.mark.parametrize(
    "requirement",
    [
        "torch",
        "torch==2.5.1+cpu",
        "numpy<=2.2",
        "nvtx",
        "numba",
        "curl-cffi",
        "tritonclient",
        "xformers-stubs",
        "cudatext",
    ],
)
def test_of_use_elsewhere(requirement: str) -> None:
    assert found(requirement) == []


def test_behind_an_extra() -> None:
    assert found("nixl>=1.3; python_version < '3.13' and extra == 'nixl'") == [(3, True)]


def test_a_marker_that_mentions_no_extra() -> None:
    assert found("nixl; platform_machine != 'extra'") == [(3, False)]


def test_one_that_cannot_be_parsed() -> None:
    (item,) = cuda_requirements(HEADER + "Requires-Dist: cupy >= \n", "METADATA")
    assert str(item.failure).startswith("METADATA:3: 'cupy >=' is no requirement")
    assert "\n" not in str(item.failure)


def test_the_description_is_no_header() -> None:
    assert list(cuda_requirements(HEADER + "\nRequires-Dist: cupy\n", "METADATA")) == []
