from __future__ import annotations

import hashlib
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from porter.errors import PorterError
from porter.sources.fetch import Index, is_exact
from porter.sources.settings import IndexSettings, index_settings

Make = Callable[..., Path]

HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"
pytestmark = pytest.mark.usefixtures("pip_settings")


def best(requirement: str) -> str:
    """The file name that the settings of the environment lead to."""
    with Index(index_settings()) as index:
        return index.best(Requirement(requirement)).filename


def error(requirement: str, settings: IndexSettings | None = None) -> str:
    """The one line that looking for it ends with."""
    with pytest.raises(PorterError) as caught, Index(settings or index_settings()) as index:
        index.best(Requirement(requirement))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("requirement", "filename"),
    [
        ("acme==1.0", "acme-1.0.tar.gz"),
        ("acme==1.1", "acme-1.1-py3-none-any.whl"),
        ("acme", "acme-1.2-py3-none-any.whl"),
        ("ACME", "acme-1.2-py3-none-any.whl"),
        ("acme>=1,<1.2", "acme-1.1-py3-none-any.whl"),
        ("acme!=1.2,!=1.1", "acme-1.0.tar.gz"),
        ("acme~=1.0.0", "acme-1.0.tar.gz"),
        ("acme[extra]==1.1; python_version<'3'", "acme-1.1-py3-none-any.whl"),
        ("acme==2.0rc1", "acme-2.0rc1-py3-none-any.whl"),
        ("acme>=2.0rc1", "acme-2.0rc1-py3-none-any.whl"),
    ],
)
def test_the_newest_version_that_matches(
    index: Any,
    make_wheel: Make,
    make_sdist: Make,
    tmp_path: Path,
    *,
    requirement: str,
    filename: str,
) -> None:
    for version in ("1.0", "1.1"):
        index.add(make_sdist(tmp_path, version))
    for version in ("1.1", "1.2", "2.0rc1"):
        index.add(make_wheel(tmp_path, version))
    assert best(requirement) == filename


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (["cp27-cp27m-win32", f"{HERE}-none-any", "py3-none-any"], f"{HERE}-none-any"),
        (["cp27-cp27m-win32", "py3-none-any"], "py3-none-any"),
        (["cp27-cp27m-win32"], "cp27-cp27m-win32"),
    ],
)
def test_a_wheel_that_fits_goes_before_one_that_does_not_and_that_before_an_sdist(
    index: Any, make_wheel: Make, make_sdist: Make, tmp_path: Path, *, tags: list[str], chosen: str
) -> None:
    index.add(make_sdist(tmp_path, "1.0"))
    for tag in tags:
        index.add(make_wheel(tmp_path, "1.0", tag))
    assert best("acme") == f"acme-1.0-{chosen}.whl"


def test_an_sdist_where_one_is_asked_for(
    index: Any, make_wheel: Make, make_sdist: Make, tmp_path: Path
) -> None:
    index.add(make_sdist(tmp_path, "1.0"))
    index.add(make_wheel(tmp_path, "1.1"))
    with Index(index_settings(), sdist=True) as opened:
        assert opened.best(Requirement("acme")).filename == "acme-1.0.tar.gz"


def test_a_release_for_another_python_will_do(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    index.add(make_wheel(tmp_path, "1.0"), attributes='data-requires-python="&lt;3"')
    assert best("acme") == "acme-1.0-py3-none-any.whl"


def test_a_yanked_release_only_where_it_is_named(
    index: Any, make_wheel: Make, tmp_path: Path
) -> None:
    index.add(make_wheel(tmp_path, "1.0"))
    index.add(make_wheel(tmp_path, "1.1"), attributes='data-yanked="broken"')
    assert best("acme") == best("acme==1.*") == "acme-1.0-py3-none-any.whl"
    assert best("acme==1.1") == "acme-1.1-py3-none-any.whl"
    assert error("acme>=1.1").endswith("no such version; the newest is 1.0")


def test_an_index_that_has_moved(
    index: Any, make_wheel: Make, tmp_path: Path, pip_settings: pytest.MonkeyPatch
) -> None:
    index.add(make_wheel(tmp_path, "1.0"))
    pip_settings.setenv("PIP_INDEX_URL", index.url.replace("/simple", "/moved/simple"))
    assert best("acme") == "acme-1.0-py3-none-any.whl"


def test_archives_that_cannot_be_read_are_passed_over(
    index: Any, make_wheel: Make, tmp_path: Path
) -> None:
    newer = make_wheel(tmp_path, "1.1").rename(tmp_path / "acme-1.1.tar.bz2")
    index.add(newer)
    index.add(make_wheel(tmp_path, "1.0"))
    assert best("acme") == "acme-1.0-py3-none-any.whl"


def test_find_links_and_extra_indexes(
    index: Any,
    make_wheel: Make,
    make_sdist: Make,
    tmp_path: Path,
    pip_settings: pytest.MonkeyPatch,
) -> None:
    index.add(make_wheel(tmp_path / "first", "1.0"))
    make_wheel(tmp_path / "links", "1.1")
    pip_settings.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    assert best("acme") == "acme-1.1-py3-none-any.whl"
    sdist = make_sdist(tmp_path / "extra" / "acme", "1.2")
    (sdist.parent / "index.html").write_text(f'<a href="{sdist.name}">{sdist.name}</a>')
    pip_settings.setenv("PIP_EXTRA_INDEX_URL", (tmp_path / "extra").as_uri())
    assert best("acme") == "acme-1.2.tar.gz"
    pip_settings.setenv("PIP_NO_INDEX", "1")
    assert best("acme") == "acme-1.1-py3-none-any.whl"


def test_no_index_and_no_links(pip_settings: pytest.MonkeyPatch) -> None:
    pip_settings.setenv("PIP_NO_INDEX", "1")
    assert "no-index" in error("acme")


def test_a_package_that_does_not_exist(index: Any) -> None:
    assert error("nothing==1") == "nothing==1: no package of this name where pip's settings look"
    assert error("nothing").startswith("nothing (no such file, so taken as a requirement): ")


def test_a_version_that_does_not_exist(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    for version in ("1.0", "1.10", "1.9", "2.0rc1"):
        index.add(make_wheel(tmp_path, version))
    assert error("acme==3") == "acme==3: no such version; the newest is 1.10"


def test_only_pre_releases(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    index.add(make_wheel(tmp_path, "2.0rc1"))
    assert error("acme>=1").endswith("only pre-releases match; ask for one: acme==2.0rc1")


def test_no_network() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        settings = IndexSettings(index_urls=(f"http://user:secret@127.0.0.1:{port}/simple",))
        line = error("acme==1", settings)
    assert line.startswith("acme==1: cannot reach 127.0.0.1: ")
    assert "secret" not in line


def test_an_index_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        settings = IndexSettings(index_urls=(f"http://127.0.0.1:{port}/simple",), timeout=0.2)
        start = time.monotonic()
        assert error("acme==1", settings).startswith("acme==1: cannot reach 127.0.0.1: ")
    assert time.monotonic() - start < 4


@pytest.mark.parametrize("user", ["", "user:secret@"])
@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_index_that_refuses(
    index: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    *,
    status: int,
    user: str,
) -> None:
    index.status = status
    settings = IndexSettings(index_urls=(index.url.replace("//", f"//{user}"),))
    line = error("acme", settings)
    assert str(status) in line
    assert "secret" not in line
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_an_index_that_talks_nonsense(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    settings = IndexSettings(index_urls=("nonsense://127.0.0.1/simple",))
    assert error("acme==1", settings).startswith("acme==1: ")


def test_a_host_that_is_not_trusted() -> None:
    settings = IndexSettings(index_urls=("http://index.invalid/simple",))
    assert "not being trusted" in error("acme", settings)


def test_the_log_is_as_it_was(index: Any) -> None:
    logger = logging.getLogger("unearth")
    error("nothing")
    assert (logger.handlers, logger.propagate) == ([], True)


@contextmanager
def recording_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that keeps the first line of each request and answers none."""
    lines: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    lines.append(connection.recv(4096).partition(b"\r\n")[0])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", lines
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("trusted", [(), ("index.invalid",)])
def test_the_proxy_is_asked(trusted: tuple[str, ...]) -> None:
    with recording_proxy() as (address, lines):
        settings = IndexSettings(
            index_urls=("https://index.invalid/simple",), proxy=address, trusted_hosts=trusted
        )
        error("acme", settings)
    assert lines == [b"CONNECT index.invalid:443 HTTP/1.1"]


def test_a_proxy_that_cannot_be_one() -> None:
    settings = IndexSettings(proxy="gopher://user:secret@proxy.invalid")
    line = error("acme", settings)
    assert "proxy" in line
    assert "secret" not in line


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_used(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    assert error("acme", IndexSettings(cert=str(path))).startswith(
        f"{path}: no usable certificates"
    )


def test_a_folder_of_certificates(index: Any, tmp_path: Path) -> None:
    settings = IndexSettings(index_urls=(index.url,), cert=str(tmp_path))
    assert "no package of this name" in error("nothing", settings)


def test_a_download_is_what_the_index_states(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "1.0")
    index.add(wheel)
    (tmp_path / "into").mkdir()
    calls: list[tuple[int, int | None]] = []
    with Index(index_settings()) as opened:
        link = opened.best(Requirement("acme"))
        path = opened.download(link, tmp_path / "into", lambda *call: calls.append(call))
    assert path == tmp_path / "into" / wheel.name
    assert path.read_bytes() == wheel.read_bytes()
    size = wheel.stat().st_size
    assert calls[-1] == (size, size)


def refused_download(into: Path) -> str:
    into.mkdir()
    with Index(index_settings()) as opened, pytest.raises(PorterError) as caught:
        opened.download(opened.best(Requirement("acme")), into)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_index_may_state_a_hash_in_capitals(
    index: Any, make_wheel: Make, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path, "1.0")
    index.add(wheel, sha256=hashlib.sha256(wheel.read_bytes()).hexdigest().upper())
    (tmp_path / "into").mkdir()
    with Index(index_settings()) as opened:
        assert opened.download(opened.best(Requirement("acme")), tmp_path / "into").exists()


def test_connections_are_closed_at_the_end(index: Any) -> None:
    with Index(index_settings()) as opened:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        opened.best(Requirement("acme"))


def test_a_wrong_hash_is_refused(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    wrong = index.add(make_wheel(tmp_path, "1.0"), sha256="0" * 64)
    line = refused_download(tmp_path / "into")
    assert line.startswith("acme-1.0-py3-none-any.whl: refused: its sha256 is ")
    assert line.endswith(f"but the index states {wrong}")


def test_a_wrong_hash_of_a_local_index_is_refused(
    make_wheel: Make, tmp_path: Path, pip_settings: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path / "simple" / "acme", "1.0")
    page = f'<a href="{wheel.name}#sha256={"0" * 64}">{wheel.name}</a>'
    (wheel.parent / "index.html").write_text(page)
    pip_settings.setenv("PIP_INDEX_URL", str(tmp_path / "simple"))
    assert "refused: its sha256" in refused_download(tmp_path / "into")


def test_a_download_that_is_not_there(
    index: Any, make_wheel: Make, tmp_path: Path, pip_settings: pytest.MonkeyPatch
) -> None:
    index.add(make_wheel(tmp_path, "1.0"))
    index.files.clear()
    pip_settings.setenv("PIP_INDEX_URL", index.url.replace("//", "//user:secret@"))
    line = refused_download(tmp_path / "into")
    assert "cannot be fetched: Download failed" in line
    assert "secret" not in line


def test_a_local_archive_is_copied(
    make_wheel: Make, tmp_path: Path, pip_settings: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path / "links", "1.0")
    pip_settings.setenv("PIP_NO_INDEX", "1")
    pip_settings.setenv("PIP_FIND_LINKS", str(wheel.parent))
    (tmp_path / "into").mkdir()
    with Index(index_settings()) as opened:
        path = opened.download(opened.best(Requirement("acme")), tmp_path / "into")
    assert path == tmp_path / "into" / wheel.name
    assert wheel.exists()


@pytest.mark.parametrize(
    ("requirement", "exact"),
    [
        ("a==1", True),
        ("a===1", True),
        ("a==1.*", False),
        ("a==1,<2", False),
        ("a>=1", False),
        ("a", False),
    ],
)
def test_is_exact(requirement: str, exact: bool) -> None:
    assert is_exact(Requirement(requirement)) is exact
