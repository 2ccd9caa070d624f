from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.sources.cache import Cache
from porter.sources.requirement import archive_of

Make = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("pip_settings")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def wheel(index: Any, make_wheel: Make, tmp_path: Path) -> Path:
    """The only archive of the index."""
    path = make_wheel(tmp_path / "served", "1.0")
    index.add(path)
    return path


def downloads(index: Any) -> list[str]:
    return [path for path in index.requests if path.startswith("/files/")]


def test_the_archive_and_its_hash(cache: Cache, wheel: Path) -> None:
    archive = archive_of("acme==1.0", cache)
    assert archive.path.name == wheel.name
    assert archive.path.read_bytes() == wheel.read_bytes()
    assert archive.sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.mark.parametrize("again", ["acme==1.0", "Acme == 1.0", "acme[extra]==1.0"])
def test_an_exact_requirement_is_fetched_once(
    cache: Cache, wheel: Path, index: Any, again: str
) -> None:
    archive = archive_of("acme==1.0", cache)
    asked = len(index.requests)
    assert archive_of(again, cache) == archive
    assert len(index.requests) == asked


def test_the_sdist_is_another_answer_to_the_same_requirement(
    cache: Cache, wheel: Path, index: Any, make_sdist: Make, tmp_path: Path
) -> None:
    sdist = make_sdist(tmp_path / "served", "1.0")
    index.add(sdist)
    for _ in range(2):
        assert archive_of("acme==1.0", cache).path.name == wheel.name
        assert archive_of("acme==1.0", cache, sdist=True).path.name == sdist.name
    assert len(downloads(index)) == 2


def test_another_version_is_fetched_itself(
    cache: Cache, wheel: Path, index: Any, make_wheel: Make, tmp_path: Path
) -> None:
    other = make_wheel(tmp_path / "served", "1.1")
    index.add(other)
    assert archive_of("acme==1.0", cache).path.name == wheel.name
    assert archive_of("acme==1.1", cache).path.name == other.name


def test_any_other_is_looked_up_again_but_not_downloaded(
    cache: Cache, wheel: Path, index: Any, make_wheel: Make, tmp_path: Path
) -> None:
    archive = archive_of("acme>=1", cache)
    assert archive_of("acme>=1", cache) == archive
    assert len(downloads(index)) == 1
    newer = make_wheel(tmp_path / "served", "1.1")
    index.add(newer)
    assert archive_of("acme>=1", cache).path.name == newer.name


@pytest.mark.parametrize("damage", [b"", b"other content"])
def test_a_damaged_archive_is_fetched_anew(
    cache: Cache, wheel: Path, index: Any, damage: bytes
) -> None:
    archive = archive_of("acme==1.0", cache)
    archive.path.write_bytes(damage)
    assert archive_of("acme==1.0", cache) == archive
    assert archive.path.read_bytes() == wheel.read_bytes()
    assert len(downloads(index)) == 2


def test_another_index_is_asked_itself(
    cache: Cache, wheel: Path, make_sdist: Make, tmp_path: Path, pip_settings: pytest.MonkeyPatch
) -> None:
    archive_of("acme==1.0", cache)
    make_sdist(tmp_path / "links", "1.0")
    pip_settings.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    pip_settings.setenv("PIP_NO_INDEX", "1")
    assert archive_of("acme==1.0", cache).path.name == "acme-1.0.tar.gz"


def test_a_wrong_hash_leaves_the_cache_empty(
    cache: Cache, index: Any, make_wheel: Make, tmp_path: Path
) -> None:
    index.add(make_wheel(tmp_path, "1.0"), sha256="0" * 64)
    for _ in range(2):
        with pytest.raises(PorterError, match="refused: its sha256"):
            archive_of("acme==1.0", cache)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_users_own_archive_is_not_moved(
    cache: Cache, make_wheel: Make, tmp_path: Path, pip_settings: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path / "links", "1.0")
    pip_settings.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    pip_settings.setenv("PIP_NO_INDEX", "1")
    archive = archive_of("acme==1.0", cache)
    assert archive.path.is_relative_to(tmp_path / "cache")
    assert wheel.exists()


@pytest.mark.parametrize(
    "text", ["", "acme=1", "two words", "acme==", "==1", "https://a.example/x.whl"]
)
def test_what_is_no_requirement(cache: Cache, text: str) -> None:
    with pytest.raises(PorterError) as caught:
        archive_of(text, cache)
    assert str(caught.value).startswith(f"no such file, and not a requirement: {text!r}: ")
    assert "\n" not in str(caught.value)


def test_a_url_is_not_fetched(cache: Cache) -> None:
    with pytest.raises(PorterError, match="download the archive"):
        archive_of("acme @ https://a.example/acme-1.0.zip", cache)
