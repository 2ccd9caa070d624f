from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.sources.settings import DEFAULT_INDEX, IndexSettings, index_settings

Environ = dict[str, str]


@pytest.fixture
def environ(pip_settings: pytest.MonkeyPatch, tmp_path: Path) -> Environ:
    """Every place of pip's configuration but /etc/pip.conf is below ``tmp_path``."""
    pip_settings.setattr(sys, "prefix", str(tmp_path / "venv"))
    return {"HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def proxy_file(path: Path, proxy: str) -> Path:
    return write(path, f"[global]\nproxy = {proxy}\n")


def test_without_settings() -> None:
    assert index_settings({"PIP_CONFIG_FILE": os.devnull}) == IndexSettings()
    assert IndexSettings().index_urls == (DEFAULT_INDEX,)


def test_all_settings_in_the_environment(tmp_path: Path) -> None:
    settings = index_settings(
        {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "https://one.example/simple",
            "PIP_EXTRA_INDEX_URL": "https://two.example/simple\n https://three.example/simple",
            "PIP_FIND_LINKS": f"https://four.example/page.html {tmp_path} {tmp_path}/missing",
            "PIP_TRUSTED_HOST": "one.example two.example:8080",
            "PIP_CERT": "/ca.pem",
            "PIP_PROXY": "http://proxy.example:3128",
            "PIP_DEFAULT_TIMEOUT": "7.5",
        }
    )
    assert settings == IndexSettings(
        index_urls=(
            "https://one.example/simple",
            "https://two.example/simple",
            "https://three.example/simple",
        ),
        find_links=("https://four.example/page.html", tmp_path.as_uri()),
        trusted_hosts=("one.example", "two.example:8080"),
        cert="/ca.pem",
        proxy="http://proxy.example:3128",
        timeout=7.5,
    )


def test_each_place_overrides_those_before_it(environ: Environ, tmp_path: Path) -> None:
    places = [
        "xdg/pip/pip.conf",
        "home/.pip/pip.conf",
        "home/.config/pip/pip.conf",
        "venv/pip.conf",
    ]
    for place in places:
        proxy_file(tmp_path / place, f"http://{place}")
        assert index_settings(environ).proxy == f"http://{place}"
    environ["PIP_CONFIG_FILE"] = str(proxy_file(tmp_path / "own.conf", "http://own"))
    assert index_settings(environ).proxy == "http://own"
    environ["PIP_PROXY"] = "http://variable"
    assert index_settings(environ).proxy == "http://variable"


def test_xdg_config_home(environ: Environ, tmp_path: Path) -> None:
    proxy_file(tmp_path / "config" / "pip" / "pip.conf", "http://config")
    environ["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    assert index_settings(environ).proxy == "http://config"


def test_a_chosen_file_takes_the_place_of_the_users(environ: Environ, tmp_path: Path) -> None:
    proxy_file(tmp_path / "home/.config/pip/pip.conf", "http://user")
    environ["PIP_CONFIG_FILE"] = str(tmp_path / "missing.conf")
    assert index_settings(environ).proxy == "http://user"
    environ["PIP_CONFIG_FILE"] = str(write(tmp_path / "empty.conf", ""))
    assert index_settings(environ).proxy is None


def test_no_file_is_read_where_the_chosen_one_is_the_null_device(
    environ: Environ, tmp_path: Path
) -> None:
    proxy_file(tmp_path / "venv/pip.conf", "http://site")
    environ["PIP_CONFIG_FILE"] = os.devnull
    assert index_settings(environ).proxy is None


def test_install_goes_before_global(environ: Environ, tmp_path: Path) -> None:
    text = "[install]\nproxy = http://install\n[global]\nproxy = http://global\ntimeout = 3\n"
    write(tmp_path / "venv/pip.conf", text + "[search]\ntimeout = 4\n")
    settings = index_settings(environ)
    assert (settings.proxy, settings.timeout) == ("http://install", 3.0)


@pytest.mark.parametrize("name", ["extra-index-url", "EXTRA_INDEX_URL", "--extra-index-url"])
def test_the_spellings_of_an_option(environ: Environ, tmp_path: Path, name: str) -> None:
    write(tmp_path / "venv/pip.conf", f"[global]\n{name} =\n  https://a.example\n  file:///b%20c\n")
    urls = index_settings(environ).index_urls
    assert urls == (DEFAULT_INDEX, "https://a.example", "file:///b%20c")


def test_an_empty_variable_is_no_setting(environ: Environ, tmp_path: Path) -> None:
    proxy_file(tmp_path / "venv/pip.conf", "http://site")
    assert index_settings({**environ, "PIP_PROXY": ""}).proxy == "http://site"


@pytest.mark.parametrize(
    ("value", "urls"), [("1", 0), ("true", 0), ("Yes", 0), ("0", 1), ("no", 1)]
)
def test_no_index(environ: Environ, value: str, urls: int) -> None:
    assert len(index_settings({**environ, "PIP_NO_INDEX": value}).index_urls) == urls


def test_certificates(environ: Environ) -> None:
    environ["CURL_CA_BUNDLE"] = "/curl.pem"
    assert index_settings({"PIP_CONFIG_FILE": os.devnull, **environ}).cert == "/curl.pem"
    environ["REQUESTS_CA_BUNDLE"] = "/requests.pem"
    assert index_settings({"PIP_CONFIG_FILE": os.devnull, **environ}).cert == "/requests.pem"
    environ["PIP_CERT"] = "/pip.pem"
    assert index_settings(environ).cert == "/pip.pem"


def test_folders_are_urls(environ: Environ, tmp_path: Path) -> None:
    (tmp_path / "home" / "wheels").mkdir(parents=True)
    settings = index_settings(
        {**environ, "PIP_INDEX_URL": str(tmp_path / "index"), "PIP_FIND_LINKS": "~/wheels"}
    )
    assert settings.index_urls == ((tmp_path / "index").as_uri(),)
    assert settings.find_links == ((tmp_path / "home" / "wheels").as_uri(),)


def test_a_timeout_that_is_no_number(environ: Environ) -> None:
    with pytest.raises(PorterError, match="timeout is not a number of seconds: 'soon'"):
        index_settings({**environ, "PIP_TIMEOUT": "soon"})


@pytest.mark.parametrize("text", ["proxy = 1\n", "[global\n", "[global]\nnonsense\n"])
def test_a_file_that_cannot_be_parsed(environ: Environ, tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "venv/pip.conf", text)
    with pytest.raises(PorterError) as caught:
        index_settings(environ)
    assert str(caught.value).startswith(f"{path}: not a valid pip configuration: ")
    assert "\n" not in str(caught.value)


def test_the_places_are_those_that_pip_names(tmp_path: Path) -> None:
    """Each place alone, and what pip itself then takes for the value."""
    pytest.importorskip("pip")
    environ = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": f"{tmp_path}/xdg1:{tmp_path}/xdg2",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    debug = subprocess.run(
        [sys.executable, "-m", "pip", "config", "debug"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    named = [line.split(", exists:")[0].strip() for line in debug.splitlines() if "exists:" in line]
    inside = [place for place in named if place.startswith(str(tmp_path))]
    assert len(inside) == 4
    for place in inside:
        path = write(Path(place), "[global]\nproxy = http://here\n")
        assert index_settings(environ).proxy == "http://here", place
        path.unlink()
