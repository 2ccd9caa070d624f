"""hpu/cachegen: against a coder that goes bit by bit, and upstream's own where it is at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from porter.package.recipe import find_recipe
from porter.sources.resolve import open_source

torch = pytest.importorskip("torch")
CHECKS = Path(__file__).with_name("cachegen_checks.py")


def plain_cdf(symbols: list[int], bins: int) -> list[int]:
    sums = [sum(symbol < bound for symbol in symbols) for bound in range(bins + 1)]
    return [(0xFFFF - bins) * sum_ // len(symbols) + place for place, sum_ in enumerate(sums)]


def plain_code(cdf: list[int], symbols: list[int]) -> bytes:
    """The textbook's coder: 32 bits, and bits that wait until it is known which they are."""
    bits, waiting = "", 0
    low, high = 0, 2**32 - 1
    bounds = [*cdf[:-1], 2**16]

    def say(bit: str) -> None:
        nonlocal bits, waiting
        bits += bit + "10"[int(bit)] * waiting
        waiting = 0

    for symbol in symbols:
        span = high - low + 1
        low, high = (
            low + (span * bounds[symbol] >> 16),
            low + (span * bounds[symbol + 1] >> 16) - 1,
        )
        while True:
            if high < 2**31:
                say("0")
            elif low >= 2**31:
                say("1")
                low, high = low - 2**31, high - 2**31
            elif low >= 2**30 and high < 3 * 2**30:
                waiting += 1
                low, high = low - 2**30, high - 2**30
            else:
                break
            low, high = 2 * low, 2 * high + 1
    waiting += 1
    say("0" if low < 2**30 else "1")
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


@st.composite
def cases(draw) -> tuple[torch.Tensor, torch.Tensor]:
    """(symbols [L, T, N], distributions), the latter of other symbols at times: bad ones."""
    layers, tokens, channels = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 40)),
        draw(st.integers(1, 4)),
    )
    bins = draw(st.sampled_from([2, 5, 16, 32]))
    seed = draw(st.integers(0, 2**31))
    skew = draw(st.sampled_from([1, 3, 20]))
    generator = torch.Generator().manual_seed(seed)
    shape = (layers, tokens, channels)

    def symbols() -> torch.Tensor:
        drawn = torch.rand(shape, generator=generator) ** skew * bins
        return drawn.to(torch.int8)

    coded = symbols()
    cdfs = torch.tensor(
        [
            [plain_cdf(layer[:, channel].tolist(), bins) for channel in range(channels)]
            for layer in (symbols() if draw(st.booleans()) else coded)
        ]
    )
    return coded, cdfs


@given(cases())
@settings(deadline=None)
def test_distributions(hpu, case):
    symbols, _ = case
    layers, _, channels = symbols.shape
    cdf = hpu("cachegen").calculate_cdf(symbols, 32)
    assert (cdf.dtype, cdf.shape) == (torch.int16, (layers, channels, 33))
    for layer in range(layers):
        for channel in range(channels):
            expected = plain_cdf(symbols[layer, :, channel].tolist(), 32)
            assert (cdf[layer, channel].int() & 0xFFFF).tolist() == expected


def test_a_symbol_beyond_the_bins_counts_for_the_last(hpu):
    symbols = torch.tensor([[[1], [9]]], dtype=torch.int8)
    inside = torch.tensor([[[1], [2]]], dtype=torch.int8)
    calculate_cdf = hpu("cachegen").calculate_cdf
    assert torch.equal(calculate_cdf(symbols, 3), calculate_cdf(inside, 3))


@given(cases())
@settings(deadline=None)
def test_there_and_back(hpu, case):
    cachegen = hpu("cachegen")
    symbols, cdfs = case
    layers, tokens, channels = symbols.shape
    cdf = cdfs.to(torch.int16)
    buffer = torch.full((layers, channels, 2 * tokens + 8), 7, dtype=torch.uint8)
    lengths = torch.zeros(layers, channels, dtype=torch.int32)
    cachegen.encode_fast_new(cdf, symbols, buffer, lengths)
    streams = []
    for layer in range(layers):
        for channel in range(channels):
            code = plain_code(cdfs[layer, channel].tolist(), symbols[layer, :, channel].tolist())
            length = int(lengths[layer, channel])
            assert buffer[layer, channel].numpy().tobytes() == code.ljust(2 * tokens + 8, b"\0")
            assert length == len(code)
            streams.append(buffer[layer, channel, :length])

    decoded = torch.zeros(symbols.shape, dtype=torch.uint8)
    cachegen.decode_fast_new(cdf, buffer, lengths, decoded)
    assert torch.equal(decoded, symbols.to(torch.uint8))
    decoded.zero_()
    sums = lengths.flatten().cumsum(0).view(layers, channels)
    cachegen.decode_fast_prefsum(cdf, torch.cat(streams), sums, decoded)
    assert torch.equal(decoded, symbols.to(torch.uint8))


def test_more_streams_than_are_coded_at_once(hpu, monkeypatch):
    cachegen = hpu("cachegen")
    symbols = (torch.rand(2, 9, 5, generator=torch.Generator().manual_seed(1)) * 4).to(torch.int8)
    cdf = cachegen.calculate_cdf(symbols, 4)
    whole, cut = torch.zeros(2, 2, 5, 32, dtype=torch.uint8)
    lengths = torch.zeros(2, 5, dtype=torch.int32)
    cachegen.encode_fast_new(cdf, symbols, whole, lengths)
    monkeypatch.setattr(cachegen, "_AT_ONCE", 3)
    cachegen.encode_fast_new(cdf, symbols, cut, lengths)
    assert torch.equal(whole, cut)
    decoded = torch.zeros(symbols.shape, dtype=torch.uint8)
    cachegen.decode_fast_new(cdf, cut, lengths, decoded)
    assert torch.equal(decoded, symbols.to(torch.uint8))


def test_a_stream_that_does_not_fit_is_cut_off(hpu):
    cachegen = hpu("cachegen")
    symbols = (torch.rand(1, 64, 1, generator=torch.Generator().manual_seed(1)) * 16).to(torch.int8)
    cdf = cachegen.calculate_cdf(symbols, 16)
    whole, short = (torch.zeros(1, 1, size, dtype=torch.uint8) for size in (64, 10))
    lengths = torch.zeros(1, 1, dtype=torch.int32)
    cachegen.encode_fast_new(cdf, symbols, whole, lengths)
    assert lengths.item() > 10
    cachegen.encode_fast_new(cdf, symbols, short, lengths)
    assert lengths.item() == 10
    assert torch.equal(short, whole[..., :10])


@pytest.mark.network
def test_it_does_what_upstream_s_coder_does(tmp_path):
    tree = open_source("lmcache==0.5.6")
    theirs = tree.root / "lmcache/v1/platform/torch_ops/cachegen_kernels.py"
    overlay = find_recipe("lmcache").at(Version("0.5.6")).overlays[0].folder
    done = subprocess.run(
        [sys.executable, CHECKS, theirs, overlay],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
