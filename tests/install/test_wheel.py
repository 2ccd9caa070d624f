"""What a wheel brings, and where it goes."""

from __future__ import annotations

import io
from typing import Any
from zipfile import ZipFile

import pytest

from porter.errors import PorterError
from porter.install.wheel import Layout, PortedWheel

PATHS = {"purelib": "/env/site", "scripts": "/env/bin", "data": "/env"}


def layout(record: str, entry_points: str = "") -> Layout:
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        archive.writestr("tinykv-1.dist-info/RECORD", record)
        archive.writestr("tinykv-1.dist-info/entry_points.txt", entry_points)
    return Layout.of(ZipFile(data))


def test_files_go_where_pip_puts_them() -> None:
    found = layout(
        "tinykv/a.py,sha256=x,1\n"
        "tinykv-1.data/scripts/run,sha256=x,1\n"
        "tinykv-1.data/data/share/page,sha256=x,1\n",
        "[console_scripts]\nserve = tinykv:main\n[tinykv.plugins]\nhpu = tinykv:hpu\n",
    )
    places = {str(path) for path in found.destinations(PATHS)}
    assert places == {"/env/site/tinykv/a.py", "/env/bin/run", "/env/share/page", "/env/bin/serve"}


def test_a_name_that_leads_out_is_refused(wheels: Any) -> None:
    path = wheels.ported(files={"../evil.py": ""})
    with pytest.raises(PorterError, match="leads out of the wheel"):
        PortedWheel.read(path)


def test_top_level_modules(wheels: Any) -> None:
    files = {"tinykv/__init__.py": "", "single.py": "", "tinykv/data.json": ""}
    assert PortedWheel.read(wheels.ported(files=files)).modules == ("single", "tinykv")
