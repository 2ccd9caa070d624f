"""porter.package.metadata: only what must change of METADATA changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import Metadata
from packaging.version import Version

from porter.package.metadata import port_metadata, ported_version, upstream_version
from porter.package.recipe import Drop

HEAD = b"Metadata-Version: 2.1\nName: kv\nVersion: 1.2\nRequires-Dist: torch\n"
PORTED = Version("1.2+hpu.1")


@pytest.mark.parametrize(
    ("upstream", "build", "ported"),
    [
        ("0.3.9.post2", 1, "0.3.9.post2+hpu.1"),
        ("1.0rc1", 3, "1.0rc1+hpu.3"),
        ("2!1.0+cu12.4", 1, "2!1.0+cu12.4.hpu.1"),
    ],
)
def test_the_local_version_says_that_it_is_ported(upstream: str, build: int, ported: str) -> None:
    version = ported_version(Version(upstream), build)
    assert str(version) == ported
    assert version > Version(upstream)
    assert upstream_version(version) == Version(upstream)


@pytest.mark.parametrize(
    ("requirement", "pattern"),
    [
        ("cupy-cuda12x", "cupy*"),
        ("Cupy_CUDA12x>=13", "cupy*"),
        ('nixl>=1.1; python_version < "3.13"', "nixl"),
        ('nixl[all] ; extra == "nixl"', "nixl"),
        ("torch==2.7.0", "torch==*"),
        ("cuda.python (>=13)", "cuda-python"),
        ("cupy @ https://example.org/cupy.whl", "cupy"),
    ],
)
def test_a_requirement_goes_by_its_name_or_as_a_whole(requirement: str, pattern: str) -> None:
    line = f"Requires-Dist: {requirement}\n".encode()
    data, dropped = port_metadata(HEAD + line + b"\nprose\n", PORTED, Drop({}, {pattern: "why"}))
    assert data == HEAD.replace(b"1.2", b"1.2+hpu.1") + b"\nprose\n"
    assert [(item.what, item.reason) for item in dropped] == [(requirement, "why")]


def test_a_requirement_that_nobody_can_parse_stays() -> None:
    line = b"Requires-Dist: cupy at least 13\n"
    data, dropped = port_metadata(HEAD + line, PORTED, Drop({}, {"*": "all"}))
    assert data.endswith(line)
    assert [item.what for item in dropped] == ["torch"]


@pytest.mark.parametrize("requirement", ["torch", "torch>=2", "torchvision==1", "nixl-cu12x"])
def test_other_requirements_stay(requirement: str) -> None:
    drop = Drop({}, {"torch==*": "pinned", "nixl": "CUDA"})
    line = f"Requires-Dist: {requirement}\n".encode()
    data, dropped = port_metadata(HEAD + line, PORTED, drop)
    assert data.endswith(line)
    assert not dropped


def test_the_description_is_not_read() -> None:
    prose = b"\nVersion: 1.2\nRequires-Dist: cupy\n\nRequires-Dist: cupy\n"
    data, dropped = port_metadata(HEAD + prose, PORTED, Drop({}, {"cupy": "CUDA"}))
    assert data.endswith(prose)
    assert not dropped


def test_continued_fields_go_or_stay_as_a_whole() -> None:
    head = (
        b"Name: kv\r\nVersion: 1.2\r\n"
        b'Requires-Dist: cupy;\r\n  python_version < "3.13"\r\n'
        b"License: one\r\n  Version: two\r\n"
    )
    data, dropped = port_metadata(head + b"\r\nprose", PORTED, Drop({}, {"cupy": "CUDA"}))
    assert data == (
        b"Name: kv\r\nVersion: 1.2+hpu.1\r\nLicense: one\r\n  Version: two\r\n\r\nprose"
    )
    assert dropped[0].what == 'cupy; python_version < "3.13"'


@given(st.binary())
def test_any_description_is_kept_byte_for_byte(description: bytes) -> None:
    data, _ = port_metadata(HEAD + b"\n" + description, PORTED, Drop({}, {"*": "all"}))
    assert data == b"Metadata-Version: 2.1\nName: kv\nVersion: 1.2+hpu.1\n\n" + description


def test_the_result_is_valid_metadata() -> None:
    data, _ = port_metadata(HEAD, PORTED, Drop({}, {"torch": "why"}))
    metadata = Metadata.from_email(data)
    assert metadata.version == PORTED
    assert not metadata.requires_dist
