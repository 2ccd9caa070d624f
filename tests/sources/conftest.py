"""Archives made by hand, an index on the loopback, and a pip that has no settings of its own."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

Files = Mapping[str, str | bytes]


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.fixture
def make_zip() -> Callable[[Path, Files], Path]:
    def make(path: Path, files: Files) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, _bytes(content))
        return path

    return make


@pytest.fixture
def make_tar() -> Callable[[Path, Files], Path]:
    def make(path: Path, files: Files) -> Path:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(_bytes(content))
                archive.addfile(info, io.BytesIO(_bytes(content)))
        return path

    return make


@pytest.fixture
def make_wheel(make_zip: Callable[[Path, Files], Path]) -> Callable[..., Path]:
    """A wheel of the package ``acme`` in a folder; its module names version and tag."""

    def make(folder: Path, version: str, tag: str = "py3-none-any") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        info = f"acme-{version}.dist-info"
        files = {
            "acme/__init__.py": f"made = {version!r}, {tag!r}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: acme\nVersion: {version}\n",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
            f"{info}/RECORD": "",
        }
        return make_zip(folder / f"acme-{version}-{tag}.whl", files)

    return make


@pytest.fixture
def make_sdist(make_tar: Callable[[Path, Files], Path]) -> Callable[..., Path]:
    """An sdist of ``acme`` that would fail loudly if anybody built it."""

    def make(folder: Path, version: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        top = f"acme-{version}"
        files = {
            f"{top}/PKG-INFO": f"Metadata-Version: 2.1\nName: acme\nVersion: {version}\n",
            f"{top}/setup.py": "raise SystemExit('an sdist must not be built')\n",
            f"{top}/acme/__init__.py": f"made = {version!r}, 'sdist'\n",
        }
        return make_tar(folder / f"{top}.tar.gz", files)

    return make


@dataclass
class SimpleIndex:
    """A PEP 503 index over HTTP; ``requests`` are the paths that it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    status: int = 200

    def add(self, archive: Path, *, sha256: str | None = None, attributes: str = "") -> str:
        """Serve an archive; returns the hash that the index states."""
        content = archive.read_bytes()
        self.files[archive.name] = content
        self.hashes[archive.name] = sha256 or hashlib.sha256(content).hexdigest()
        self.attributes[archive.name] = attributes
        return self.hashes[archive.name]

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if self.status != 200:
            return self.status, "text/plain", b""
        name = path.rpartition("/")[2]
        if path.startswith("/files/") and name in self.files:
            return 200, "application/octet-stream", self.files[name]
        if path == "/simple/acme/":
            return 200, "text/html", self._page().encode()
        return 404, "text/plain", b""

    def _page(self) -> str:
        rows = (
            f'<a href="/files/{name}#sha256={digest}" {self.attributes[name]}>{name}</a><br>'
            for name, digest in self.hashes.items()
        )
        return f"<!DOCTYPE html><html><body>{''.join(rows)}</body></html>"


@pytest.fixture
def index(pip_settings: pytest.MonkeyPatch) -> Iterator[SimpleIndex]:
    """The only index of pip's settings."""
    simple = SimpleIndex()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            simple.requests.append(self.path)
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/moved"))
                self.end_headers()
                return
            status, kind, body = simple.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        simple.url = f"http://127.0.0.1:{server.server_port}/simple"
        pip_settings.setenv("PIP_INDEX_URL", simple.url)
        yield simple
        server.shutdown()
        thread.join()


@pytest.fixture
def pip_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No pip settings and no proxy but those that a test sets."""
    for name in os.environ:
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return monkeypatch
