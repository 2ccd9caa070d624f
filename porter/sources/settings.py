"""The user's index settings, read as pip reads them.

They are read from pip's files and environment here, not from ``pip config list``:
pip need not be installed beside porter, and that command sorts its lines by file
name, so that it no longer tells which of two values wins.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from porter.errors import PorterError

DEFAULT_INDEX = "https://pypi.org/simple"
DEFAULT_TIMEOUT = 15.0

_SECTIONS = ("global", "install")
_ALIASES = {"default-timeout": "timeout", "pypi-url": "index-url"}
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})


@dataclass(frozen=True)
class IndexSettings:
    """Where archives are looked for, and how. ``timeout`` is in seconds.

    ``cert`` is a file or folder of certificate authorities, or None for the system's own.
    """

    index_urls: tuple[str, ...] = (DEFAULT_INDEX,)
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    proxy: str | None = None
    timeout: float = DEFAULT_TIMEOUT


def index_settings(environ: Mapping[str, str] = os.environ) -> IndexSettings:
    """What ``pip install`` would use here.

    Raises PorterError for a file that cannot be parsed and for a timeout that is no number.
    """
    options = _options(environ)
    return IndexSettings(
        index_urls=() if options.get("no-index", "").lower() in _TRUE else _index_urls(options),
        find_links=tuple(_find_links(options)),
        trusted_hosts=tuple(options.get("trusted-host", "").split()),
        cert=options.get("cert")
        or environ.get("REQUESTS_CA_BUNDLE")
        or environ.get("CURL_CA_BUNDLE")
        or None,
        proxy=options.get("proxy"),
        timeout=_timeout(options),
    )


def _options(environ: Mapping[str, str]) -> dict[str, str]:
    """Values by option name; within a section the last file wins, then the environment."""
    sections: dict[str, dict[str, str]] = {name: {} for name in _SECTIONS}
    for path in _files(environ):
        parser = _parse(path)
        for name in _SECTIONS:
            if parser.has_section(name):
                sections[name].update((_option(key), value) for key, value in parser.items(name))
    variables = {
        _option(key.removeprefix("PIP_")): value
        for key, value in environ.items()
        if key.startswith("PIP_")
    }
    return {
        key: value
        for values in (*sections.values(), variables)
        for key, value in values.items()
        if value
    }


def _option(name: str) -> str:
    name = name.lower().replace("_", "-").removeprefix("--")
    return _ALIASES.get(name, name)


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """pip's files on Linux, later ones override earlier ones."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - never raises
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    if not (chosen and Path(chosen).exists()):
        yield home / ".pip" / "pip.conf"
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if chosen:
        yield Path(chosen)


def _parse(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise PorterError(f"{path}: not a valid pip configuration: {reason}") from error
    return parser


def _index_urls(options: Mapping[str, str]) -> tuple[str, ...]:
    urls = [options.get("index-url", DEFAULT_INDEX), *options.get("extra-index-url", "").split()]
    return tuple(url if "://" in url else Path(url).absolute().as_uri() for url in urls)


def _find_links(options: Mapping[str, str]) -> Iterator[str]:
    """A folder that does not exist is passed over, as pip does."""
    for link in options.get("find-links", "").split():
        if "://" in link:
            yield link
        elif (path := Path(link).expanduser().absolute()).exists():
            yield path.as_uri()


def _timeout(options: Mapping[str, str]) -> float:
    value = options.get("timeout", str(DEFAULT_TIMEOUT))
    try:
        return float(value)
    except ValueError:
        raise PorterError(f"pip's setting timeout is not a number of seconds: {value!r}") from None
