"""Compare the overlay's coder with the one in FILE of a release of upstream's: FILE OVERLAY."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import torch


def decorator(**_options: object) -> object:
    """In place of numba's: the same function, only slower."""
    return lambda function: function


def load(file: str) -> ModuleType:
    sys.modules["numba"] = ModuleType("numba")
    sys.modules["numba"].njit = decorator  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("upstream", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(coder: ModuleType, symbols: torch.Tensor, bins: int, size: int) -> list[torch.Tensor]:
    layers, _, channels = symbols.shape
    cdf = coder.calculate_cdf(symbols, bins)
    buffer = torch.ones(layers, channels, size, dtype=torch.uint8)
    lengths = torch.zeros(layers, channels, dtype=torch.int32)
    coder.encode_fast_new(cdf, symbols, buffer, lengths)
    decoded = torch.zeros(symbols.shape, dtype=torch.uint8)
    coder.decode_fast_new(cdf, buffer, lengths, decoded)
    rows = zip(buffer.flatten(0, 1), lengths.flatten().tolist(), strict=True)
    sums = lengths.flatten().cumsum(0).view(layers, channels)
    again = torch.zeros_like(decoded)
    coder.decode_fast_prefsum(cdf, torch.cat([row[:length] for row, length in rows]), sums, again)
    return [cdf, buffer, lengths, decoded, again]


def main(file: str, overlay: str) -> None:
    theirs = load(file)
    package = ModuleType("lmcache")
    package.__path__ = [str(Path(overlay) / "lmcache")]
    sys.modules["lmcache"] = package
    ours = importlib.import_module("lmcache.hpu.cachegen")
    for seed, (shape, bins, skew) in enumerate(
        [
            ((1, 1, 1), 2, 1),
            ((2, 7, 3), 5, 1),
            ((2, 256, 4), 32, 1),
            ((2, 256, 4), 32, 4),
            ((1, 256, 4), 16, 30),
        ]
    ):
        generator = torch.Generator().manual_seed(seed)
        symbols = (torch.rand(shape, generator=generator) ** skew * bins).to(torch.int8)
        expected = results(theirs, symbols, bins, 256)
        for one, two in zip(results(ours, symbols, bins, 256), expected, strict=True):
            assert one.dtype == two.dtype
            assert torch.equal(one, two)


if __name__ == "__main__":
    main(*sys.argv[1:])
