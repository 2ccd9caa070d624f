"""What exists on CUDA alone: libraries, requirements, shared objects.

Data, kept here and not in ``rules/`` because the rung must not depend on the
rulebook that it checks.
"""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

LIBRARIES = frozenset(
    {
        # NVIDIA's own bindings and tools
        "cuda",
        "cufile",
        "kvikio",
        "nvidia",
        "nvidia_smi",
        "nvtx",
        "nvshmem",
        "py3nvml",
        "pynvml",
        "tensorrt",
        "tensorrt_llm",
        "torch_tensorrt",
        "torch2trt",
        "transformer_engine",
        # arrays and tables on the GPU
        "cudf",
        "cugraph",
        "cuml",
        "cupy",
        "cupy_backends",
        "cupyx",
        "cuquantum",
        "numba.cuda",
        "numba_cuda",
        "pycuda",
        "pycudnn",
        "rmm",
        # kernels and kernel languages
        "amp_C",
        "apex",
        "apex_C",
        "bitsandbytes",
        "causal_conv1d",
        "cutlass",
        "deep_ep",
        "deep_gemm",
        "exllamav2_ext",
        "flash_attn",
        "flash_attn_2_cuda",
        "flash_attn_interface",
        "flash_mla",
        "flashinfer",
        "fused_layer_norm_cuda",
        "mamba_ssm",
        "sgl_kernel",
        "triton",
        "vllm.vllm_flash_attn",
        "vllm_flash_attn",
        "xformers",
    }
)

#: A name may end in *; the value says what the distribution is.
REQUIREMENTS = {
    "apex": "kernels for CUDA",
    "bitsandbytes": "kernels for CUDA",
    "causal-conv1d": "kernels for CUDA",
    "cuda-bindings": "bindings of the CUDA driver and runtime",
    "cuda-core": "bindings of the CUDA driver and runtime",
    "cuda-pathfinder": "finds CUDA libraries",
    "cuda-python": "bindings of the CUDA driver and runtime",
    "cuda-toolkit": "the CUDA toolkit",
    "cudf*": "tables in GPU memory",
    "cufile-python": "bindings of GPUDirect Storage",
    "cuml*": "needs CUDA",
    "cupy*": "arrays in GPU memory",
    "cuquantum*": "needs CUDA",
    "cutlass*": "kernels for CUDA",
    "deep-gemm": "kernels for CUDA",
    "flash-attn*": "kernels for CUDA",
    "flashinfer*": "kernels for CUDA",
    "kvikio*": "bindings of GPUDirect Storage",
    "mamba-ssm": "kernels for CUDA",
    "nixl*": "its wheels on the package index are built for CUDA",
    "numba-cuda": "the CUDA target of numba",
    "nvidia-*": "NVIDIA's libraries",
    "nvshmem*": "NVIDIA's libraries",
    "py3nvml": "bindings of NVIDIA's management library",
    "pycuda": "bindings of the CUDA driver",
    "pynvml": "bindings of NVIDIA's management library",
    "rmm*": "allocates GPU memory",
    "sgl-kernel": "kernels for CUDA",
    "tensorrt*": "NVIDIA's inference engine",
    "torch-tensorrt": "NVIDIA's inference engine",
    "transformer-engine*": "kernels for CUDA",
    "triton": "its wheels generate code for CUDA and ROCm",
    "vllm-flash-attn": "kernels for CUDA",
    "xformers": "kernels for CUDA",
}

#: The library may be vendored under a name with a hash: libcudart-1a2b3c4d.so.12
_CUDA_OBJECT = re.compile(
    r"lib(cuda|cudart|cudnn|cublas|cufft|cufile|cupti|curand|cusolver|cusparse|cutensor"
    r"|nv[a-zA-Z]|nccl|nvidia)|libtorch|libc10|libcaffe2"
)


def is_library(dotted: str) -> bool:
    """Whether a module, or a name in it, belongs to a library that only CUDA has."""
    parts = dotted.split(".", 2)
    return parts[0] in LIBRARIES or ".".join(parts[:2]) in LIBRARIES


def requirement_reason(name: str) -> str | None:
    """Why a distribution is of no use without CUDA; None where it is."""
    name = canonicalize_name(name)
    for pattern, reason in REQUIREMENTS.items():
        stem, star, _ = pattern.partition("*")
        if name == stem or (star and name.startswith(stem)):
            return reason
    return None


def is_object(name: str) -> bool:
    """Whether a shared object is torch's or CUDA's; Gaudi's torch has another ABI."""
    return _CUDA_OBJECT.match(name) is not None
