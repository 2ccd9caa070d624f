"""Wheels and shared objects to check, made on the spot."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from porter.sources.tree import Kind, SourceTree

DIST_INFO = "pkg-1.0.dist-info"


@pytest.fixture
def make_tree(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], SourceTree]:
    """A plain folder with these files."""

    def make(files: Mapping[str, str | bytes]) -> SourceTree:
        for path, content in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return SourceTree(tmp_path, Kind.FOLDER, str(tmp_path))

    return make


@pytest.fixture
def make_wheel(
    make_tree: Callable[[Mapping[str, str | bytes]], SourceTree],
) -> Callable[..., SourceTree]:
    """An unpacked wheel with these files; its metadata is right unless told otherwise."""

    def make(
        files: Mapping[str, str | bytes],
        *,
        requires: Iterable[str] = (),
        tag: str = "py3-none-any",
        remaining: Any = None,
    ) -> SourceTree:
        everything: dict[str, str | bytes] = {
            **files,
            f"{DIST_INFO}/METADATA": metadata(requires),
            f"{DIST_INFO}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        if remaining is not None:
            everything[f"{DIST_INFO}/porter/remaining.json"] = json.dumps(remaining)
        everything[f"{DIST_INFO}/RECORD"] = record(everything)
        return make_tree(everything)

    return make


def metadata(requires: Iterable[str]) -> str:
    lines = ["Metadata-Version: 2.1", "Name: pkg", "Version: 1.0"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join([*lines, "", "Requires-Dist: cupy is how the text describes it", ""])


def record(files: Mapping[str, str | bytes]) -> str:
    rows = [f"{DIST_INFO}/RECORD,,"]
    for path, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        rows.append(f"{path},sha256={digest},{len(data)}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def shared_object() -> Callable[..., bytes]:
    """The smallest ELF file whose dynamic section asks for these libraries."""
    return elf


def elf(*needed: str) -> bytes:
    strings, offsets = b"\0", []
    for name in needed:
        offsets.append(len(strings))
        strings += name.encode() + b"\0"
    header, program = 64, 56
    dynamic_at = header + 2 * program
    entries = [*((1, offset) for offset in offsets), (5, 0), (10, len(strings)), (0, 0)]
    strings_at = dynamic_at + 16 * len(entries)
    entries[len(needed)] = (5, strings_at)
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    size = strings_at + len(strings)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = ident + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, header, 0, 0, header, program, 2, 64, 0, 0
    )
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
    place = struct.pack(
        "<IIQQQQQQ", 2, 4, dynamic_at, dynamic_at, dynamic_at, len(dynamic), len(dynamic), 8
    )
    return head + load + place + dynamic + strings


@pytest.fixture
def finding() -> Callable[..., tuple[str, dict[str, Any]]]:
    """The path and one reported finding in it, on one line unless told otherwise."""

    def make(
        path: str, line: int, column: int, end_column: int, **changes: Any
    ) -> tuple[str, dict[str, Any]]:
        return path, {
            "rule": "HPU301",
            "verdict": "unsupported",
            "effort": "high",
            "status": "reported",
            "constructs": 1,
            "line": line,
            "column": column,
            "end_line": line,
            "end_column": end_column,
            "before": "",
            "after": None,
            "message": "",
            "url": "",
            **changes,
        }

    return make


@pytest.fixture
def remaining() -> Callable[..., dict[str, Any]]:
    """The document ``remaining.json``."""

    def make(
        *findings: tuple[str, dict[str, Any]],
        native_modules: Iterable[str] = (),
        routed_modules: Iterable[str] = (),
    ) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "sources": ["pkg==1.0"],
            "files": [
                {"path": path, "findings": [item for where, item in findings if where == path]}
                for path in dict.fromkeys(path for path, _ in findings)
            ],
            "native_modules": list(native_modules),
            "routed_modules": list(routed_modules),
        }

    return make
