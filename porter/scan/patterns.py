"""What CUDA looks like in a text: names, strings and words."""

from __future__ import annotations

import re

CUDA_NAMES = re.compile(
    r"torch\.(cuda|backends\.(cuda|cudnn)|version\.cuda)(\.|$)|torch\._C\._cuda\w*"
)
DEVICE = re.compile(r"cuda(:\S*)?|gpu:?\d+")
BACKEND = re.compile(r"nccl|NCCL|(\w+:\w+,)*cuda:nccl(,\w+:\w+)*")
ENVIRONMENT = re.compile(
    r"(CUDA|NCCL|TORCH_NCCL|TORCH_CUDA|CUBLAS|CUDNN|NVIDIA)_[A-Z0-9_]+|PYTORCH_CUDA_ALLOC_CONF"
)
LIBRARY = re.compile(r"lib(cuda|cudart|nccl|cublas|cublasLt|cudnn|cufile|nvrtc)\.so\S*")
LIBRARY_NAME = re.compile(r"cuda|cudart|nccl|cublas|cublasLt|cudnn|cufile|nvrtc")
CUDART = re.compile(r"cuda[A-Z]\w+|cu(Mem|Ctx|Stream|Event|Device|Module|Launch|File)[A-Z]\w+")
COMMAND = re.compile(r"(\S*/)?(?P<name>nvidia-smi)(\s.*)?", re.DOTALL)
CUDA_TYPE = re.compile(r"\btorch\.cuda(\.\w+)*")
#: Parts of words, and shapes of those whose part alone stands in every other file: one of all
#: stands in every file that the patterns above can match.
PARTS = frozenset(
    {"CUDA_", "nccl", "NCCL", "cudnn", "CUDNN_", "CUBLAS_", "NVIDIA_"}
    | {"getattr(torch,", "torch.{", "nvidia-smi", "libcu", "libnvrtc", "cublas", "cufile", "nvrtc"}
    | {"cuMem", "cuCtx", "cuStream", "cuEvent", "cuDevice", "cuModule", "cuLaunch", "cuFile"}
)
SHAPES = {
    "cuda": re.compile(rb"\b(cuda|cudart|is_cuda|is_cuda_alike)\b|\b_cuda|\bcuda[A-Z]"),
    "gpu": re.compile(rb"gpu:?\d"),
    "pin_memory": re.compile(rb"\.\s*pin_memory|pin_memory\s*=[\s(\\]*True"),
}
