"""CacheGen's entropy coder: symbols of L layers, T tokens and N channels, B bins each.

Every (layer, channel) is a stream of its own. All of them are coded side by side, on the
host, since each step of an arithmetic coder depends on the one before; tensors may be on
any device. Distributions are int16 that hold unsigned numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Number = TypeVar("Number", bound=np.generic)
Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Words = NDArray[np.uint64]
"""32 bits each, with room for what overflows."""

_MASK = np.uint64(0xFFFFFFFF)
_HALF, _QUARTER = np.uint64(1 << 31), np.uint64(1 << 30)
_ONE, _WORD, _PRECISION = np.uint64(1), np.uint64(32), np.uint64(16)
_AT_ONCE = 8192  # streams; their state then stays in a core's cache


def calculate_cdf(input_tensor: Tensor, num_bins: int) -> Tensor:
    """The distribution of the symbols of each channel: [L, T, N] to int16 [L, N, B + 1].

    It rises strictly, from 0 to 65535, so that every symbol can be coded. A symbol beyond
    the bins counts for the last one.
    """
    layers, tokens, channels = input_tensor.shape
    streams = layers * channels
    symbols = _streams(input_tensor, np.int64).clip(0, num_bins - 1)
    places = symbols + num_bins * np.arange(streams)
    counts = np.bincount(places.ravel(), minlength=streams * num_bins)
    sums = np.zeros((streams, num_bins + 1), np.int64)
    counts.reshape(streams, num_bins).cumsum(axis=1, out=sums[:, 1:])
    cdf = (0xFFFF - num_bins) * sums // max(1, tokens) + np.arange(num_bins + 1)
    shaped = cdf.astype(np.uint16).view(np.int16).reshape(layers, channels, num_bins + 1)
    return torch.from_numpy(shaped).to(input_tensor.device)


def encode_fast_new(
    cdf: Tensor, input_sym: Tensor, output_buffer: Tensor, output_lengths: Tensor
) -> None:
    """Code symbols [L, T, N] into bytes [L, N, size], and how many each stream took [L, N].

    A stream that does not fit is cut off where its row of ``output_buffer`` ends.
    """
    cdfs, symbols = _distributions(cdf), _streams(input_sym, np.uint8)
    size = output_buffer.shape[-1]
    rows = np.zeros((len(cdfs), size), np.uint8)
    lengths = np.zeros(len(cdfs), np.int64)
    for part in _parts(len(cdfs)):
        data, lengths[part] = _encode(cdfs[part], symbols[:, part])
        rows[part, : data.shape[1]] = data[:, :size]
    output_buffer.copy_(torch.from_numpy(rows).view(output_buffer.shape))
    output_lengths.copy_(torch.from_numpy(lengths.clip(max=size)).view(output_lengths.shape))


def decode_fast_new(cdf: Tensor, bytestreams: Tensor, lengths: Tensor, output: Tensor) -> None:
    """Decode bytes [L, N, size], of which ``lengths`` [L, N] count, into symbols [L, T, N]."""
    sizes = _host(lengths, np.int64).ravel()
    starts = np.arange(sizes.size) * bytestreams.shape[-1]
    _decode_all(cdf, bytestreams, starts, starts + sizes, output)


def decode_fast_prefsum(
    cdf: Tensor, bytestreams: Tensor, lengths_prefsum: Tensor, output: Tensor
) -> None:
    """The same where all bytes lie in one row, and the sums of the lengths say where."""
    ends = _host(lengths_prefsum, np.int64).ravel()
    _decode_all(cdf, bytestreams, np.append(0, ends[:-1]), ends, output)


def _decode_all(
    cdf: Tensor, bytestreams: Tensor, starts: Places, ends: Places, output: Tensor
) -> None:
    layers, tokens, channels = output.shape
    cdfs, data = _distributions(cdf), _host(bytestreams, np.uint8).ravel()
    symbols = np.zeros((tokens, layers * channels), np.uint8)
    for part in _parts(len(cdfs)):
        words = _words(data, starts[part], ends[part])
        for token, decoded in enumerate(_decode(cdfs[part], words, tokens)):
            symbols[token, part] = decoded
    shaped = symbols.reshape(tokens, layers, channels).swapaxes(0, 1)
    output.copy_(torch.from_numpy(np.ascontiguousarray(shaped)))


class _Interval:
    """The numbers of 32 bits, from low to high, that each stream is down to."""

    def __init__(self, cdfs: Words) -> None:
        self._rows = np.arange(len(cdfs))
        self._cdfs = cdfs.copy()
        self._cdfs[:, -1] = _ONE << _PRECISION  # the last symbol takes all that is left
        self._low = np.zeros(len(cdfs), np.uint64)
        self._high = np.full(len(cdfs), _MASK)

    @property
    def span(self) -> Words:
        return self._high - self._low + _ONE

    def narrow(self, symbols: Places) -> Words:
        """Keep the part of each stream's symbol; returns by how much low rises."""
        span = self.span
        rise: Words = span * self._cdfs[self._rows, symbols] >> _PRECISION
        top = span * self._cdfs[self._rows, symbols + 1] >> _PRECISION
        self._high = self._low + top - _ONE
        self._low = self._low + rise
        return rise

    def widen(self) -> Words:
        """Double every interval until it is more than a quarter; returns how often."""
        same = _leading_zeros(self._low ^ self._high)
        low, high = self._low << same & _MASK, self._high << same & _MASK | _ones(same)
        # Now low is 0... and high is 1...: while they go on with 01 and 10, they are close to
        # the middle, and doubled around it.
        close = _leading_zeros(~((low & ~high) << _ONE) & _MASK)
        self._low = low << close & (_HALF - _ONE)
        self._high = high << close & _MASK | _ones(close) | _HALF
        return same + close


def _encode(cdfs: Words, symbols: Bytes) -> tuple[Bytes, Places]:
    """The bytes of each stream, zeros behind them, and their numbers.

    A stream stands for one long number: the sum of all rises of low, each as many places to
    the right as the interval had been doubled. The sum settles every carry at once, so no
    bit has to be held back until it is known.
    """
    interval = _Interval(cdfs)
    place = np.zeros(len(cdfs), np.uint64)
    terms = []
    for row in symbols.astype(np.int64):
        terms.append((place, interval.narrow(row)))
        place = place + interval.widen()
    # Two more bits name a quarter of the numbers that lies within the interval.
    terms.append((place, np.full(len(cdfs), _QUARTER)))
    bits = place + np.uint64(2)
    total = np.zeros((len(cdfs), int(place.max()) // 32 + 2), np.uint64)
    rows = np.arange(len(cdfs))
    for first, rise in terms:
        word, shifted = (first // _WORD).astype(np.int64), rise << _WORD - first % _WORD
        total[rows, word] += shifted >> _WORD
        total[rows, word + 1] += shifted & _MASK
    for carried in range(total.shape[1] - 1, 0, -1):
        total[:, carried - 1] += total[:, carried] >> _WORD
    data = total.astype(">u4").view(np.uint8)
    lengths = (bits.astype(np.int64) + 7) // 8
    data[np.arange(data.shape[1]) >= lengths[:, None]] = 0
    data[rows, lengths - 1] &= (0xFF << 8 * lengths - bits.astype(np.int64)).astype(np.uint8)
    return data, lengths


def _decode(cdfs: Words, words: Words, tokens: int) -> Iterator[Places]:
    """The symbols of all streams, token by token."""
    interval = _Interval(cdfs)
    starts = np.ascontiguousarray(cdfs[:, :-1].T.astype(np.uint16))
    rows, last = np.arange(len(cdfs)), words.shape[1] - 2
    place = np.full(len(cdfs), _WORD)
    above_low = words[:, 0]  # the number that is read, less low
    for _ in range(tokens):
        count = ((above_low + _ONE << _PRECISION) - _ONE) // interval.span
        symbols = (starts <= count.astype(np.uint16)).sum(axis=0, dtype=np.int64) - 1
        yield symbols
        above_low = above_low - interval.narrow(symbols)
        doubled = interval.widen()
        word = np.minimum((place // _WORD).astype(np.int64), last)
        window = words[rows, word] << _WORD | words[rows, word + 1]
        new = window << place % _WORD >> np.uint64(64) - doubled
        above_low = (above_low << doubled | new) & _MASK
        place = place + doubled


def _words(data: Bytes, starts: Places, ends: Places) -> Words:
    """The bytes of each stream as words, and zeros behind its end."""
    longest = int((ends - starts).max(initial=0))
    places = starts[:, None] + np.arange(4 * (longest // 4 + 4))
    taken = np.append(data, np.uint8(0)).take(places, mode="clip")
    taken[places >= np.minimum(ends, data.size)[:, None]] = 0
    return taken.view(">u4").astype(np.uint64)


def _leading_zeros(words: Words) -> Words:
    """Of 32 bits."""
    return _WORD - np.frexp(words.astype(np.float64))[1].astype(np.uint64)


def _ones(count: Words) -> Words:
    ones: Words = (_ONE << count) - _ONE
    return ones


def _parts(streams: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, streams, _AT_ONCE))


def _host(tensor: Tensor, dtype: type[Number]) -> NDArray[Number]:
    numbers: NDArray[Number] = tensor.cpu().numpy().astype(dtype)
    return numbers


def _streams(symbols: Tensor, dtype: type[Number]) -> NDArray[Number]:
    """[L, T, N] to [T, L * N]."""
    return _host(symbols.transpose(0, 1).flatten(1), dtype)


def _distributions(cdf: Tensor) -> Words:
    """[L, N, B + 1] to [L * N, B + 1]."""
    return _host(cdf.flatten(0, 1), np.uint16).astype(np.uint64)
