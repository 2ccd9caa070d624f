"""Decode Python source the way the interpreter does, and encode it back byte for byte."""

from __future__ import annotations

import codecs
import io
import tokenize
from dataclasses import dataclass


@dataclass(frozen=True)
class SourceText:
    """Decoded source. Line ends are kept as they are; ``bom`` says whether a UTF-8 BOM led it."""

    text: str
    encoding: str = "utf-8"
    bom: bool = False

    @classmethod
    def decode(cls, data: bytes) -> SourceText:
        """Honour the BOM and the coding cookie (PEP 263).

        Raises SyntaxError for an unknown or contradictory cookie and
        UnicodeDecodeError for bytes that are not of the declared encoding.
        """
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        bom = data.startswith(codecs.BOM_UTF8)
        if bom:
            data, encoding = data[len(codecs.BOM_UTF8) :], "utf-8"
        return cls(data.decode(encoding), encoding, bom)

    def encode(self, text: str) -> bytes:
        """``text`` in the encoding of this source."""
        data = text.encode(self.encoding)
        return codecs.BOM_UTF8 + data if self.bom else data
