"""What tells a device, or a communication backend, from any other string."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

_DEVICE_NAME = re.compile(r"device|(^|_)dev(_|$)|map_location", re.IGNORECASE)
_BACKEND_NAME = re.compile(r"backend|(^|_)comm(_|$)", re.IGNORECASE)
_DEVICE_WORD = re.compile(r"(cpu|cuda|hpu|xpu|mps|npu|musa|meta|tpu|xla)(:\d*)?")
_BACKEND_WORD = re.compile(r"nccl|hccl|gloo|mpi|ucc", re.IGNORECASE)


@dataclass(frozen=True)
class Vocabulary:
    """What tells a device (or a backend) from any other string."""

    name: re.Pattern[str]
    word: re.Pattern[str]
    ours: str

    def is_word(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and bool(self.word.fullmatch(node.value))
        )

    def is_ours(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Constant) and (
            node.value == self.ours or str(node.value).startswith(f"{self.ours}:")
        )


DEVICES = Vocabulary(_DEVICE_NAME, _DEVICE_WORD, "hpu")
BACKENDS = Vocabulary(_BACKEND_NAME, _BACKEND_WORD, "hccl")
