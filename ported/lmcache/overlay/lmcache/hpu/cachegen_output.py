"""What CacheGen has made of a chunk, on its way to bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


class CacheGenHPUEncoderOutput:
    """Makes upstream's objects, with tensors of the host instead of the device.

    They are pickled: on the device they could be read on such devices alone, and in lazy mode torch
    tells them apart by addresses that they may not have yet.
    """

    def __new__(
        cls,
        data_chunks: Sequence[Any],
        cdf: Tensor,
        max_tensors_key: Tensor,
        max_tensors_value: Tensor,
        num_heads: int,
        head_size: int,
    ) -> Any:
        upstream = _upstream()
        chunks = [
            upstream.CacheGenGPUBytestream(
                chunk.bytestream.cpu(), chunk.bytestream_lengths.cpu(), chunk.ntokens
            )
            for chunk in data_chunks
        ]
        tensors = (cdf.cpu(), max_tensors_key.cpu(), max_tensors_value.cpu())
        return upstream.CacheGenGPUEncoderOutput(chunks, *tensors, num_heads, head_size)

    @staticmethod
    def from_bytes(bs: bytes) -> Any:
        return _upstream().CacheGenGPUEncoderOutput.from_bytes(bs)


def _upstream() -> Any:
    # The modules that import this one are imported by the package of that one.
    from lmcache.storage_backend.serde import cachegen_basics  # noqa: PLC0415

    return cachegen_basics
