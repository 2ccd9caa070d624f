"""porter.package.plugins: a user's scripts, ported along with the small package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.findings import Status
from porter.package.build import port
from porter.package.contents import wheel_files
from porter.package.patch import changes_patch
from porter.package.ported import Ported
from porter.package.ported_md import ported_md
from porter.package.recipe import Recipe
from porter.package.release import Release
from porter.rulebook import default_rulebook

PLACE = """
[plugins]
folder = "tinykv/plugins"
prefixes = ["all", "worker"]
bases = ["tinykv.hpu.plugins.Plugin"]
start = "{plugin}.main()"
"""
CLASS = """\
import torch
import tinykv.kernels as ops
from tinykv.hpu.plugins import Plugin


class Audit(Plugin):
    def on_startup(self):
        ops.clear_pages(torch.zeros(4).cuda(), None)
"""
START = '\n\nif __name__ == "__main__":\n    Audit.main()\n'
IN_WHEEL = "tinykv/plugins/all_audit.py"

Along = Callable[..., Ported]


@pytest.fixture
def along(tiny: Any, tmp_path: Path) -> Along:
    """The small package with scripts of these names and texts."""

    def run(*plugins: tuple[str, str | bytes], recipe: str = PLACE) -> Ported:
        paths = []
        for number, (name, text) in enumerate(plugins):
            paths.append(tmp_path / str(number) / name)
            paths[-1].parent.mkdir()
            paths[-1].write_bytes(text.encode() if isinstance(text, str) else text)
        tiny.recipe.write_text(tiny.recipe.read_text() + recipe)
        release, book = Release.of(tiny.tree), default_rulebook()
        return port(release, Recipe.load(tiny.recipe), book, plugins=paths)

    return run


def text_of(ported: Ported, path: str = IN_WHEEL) -> str:
    return ported.files[path].decode()


def test_a_plugin_is_rewritten_and_routed_as_the_package_is(along: Along) -> None:
    ported = along(("audit.py", CLASS))
    assert ported.plugins == (IN_WHEEL,)
    text = text_of(ported)
    assert "import tinykv.hpu.kernels as ops\n" in text
    assert '.to("hpu")' in text
    assert "cuda" not in text
    findings = [item for item in ported.result.findings() if item.path == IN_WHEEL]
    statuses = {item.before: item.status for item in findings}
    assert statuses["torch.zeros(4).cuda()"] is Status.REWRITTEN
    assert {item.line for item in findings} <= set(range(1, CLASS.count("\n") + 1))
    assert ported.result.summary().unaccounted == 0
    assert "tinykv.hpu.kernels.clear_pages" in ported.not_implemented


def test_it_is_in_the_patch_and_in_what_the_wheel_says_of_itself(along: Along) -> None:
    ported = along(("audit.py", CLASS))
    assert f"+++ b/{IN_WHEEL}".encode() in changes_patch(ported)
    assert f"### `{IN_WHEEL}`" in ported_md(ported)
    assert "## Added plugins" in ported_md(ported)
    files = wheel_files(ported)
    assert files[IN_WHEEL] == ported.files[IN_WHEEL]
    left = files["tinykv-1.2+hpu.1.dist-info/porter/remaining.json"].decode()
    assert f'"programs": [\n    "{IN_WHEEL}"\n  ]' in left


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("audit.py", "all_audit.py"),
        ("cache_audit.py", "all_cache_audit.py"),
        ("all_audit.py", "all_audit.py"),
        ("Worker_0_audit.py", "Worker_0_audit.py"),
    ],
)
def test_the_name_is_one_that_the_package_starts(along: Along, name: str, place: str) -> None:
    assert along((name, CLASS)).plugins == (f"tinykv/plugins/{place}",)


def test_a_package_may_start_any_name(along: Along) -> None:
    anything = PLACE.replace('prefixes = ["all", "worker"]\n', "")
    assert along(("audit.py", CLASS), recipe=anything).plugins == ("tinykv/plugins/audit.py",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CLASS, START),
        (CLASS.removesuffix("\n"), "\n" + START),
        (CLASS.replace("\n", "\r\n"), START.replace("\n", "\r\n")),
        (
            CLASS.replace("import Plugin", "import Plugin as P").replace("(Plugin)", "(P, object)"),
            START,
        ),
        (CLASS.replace("class Audit(Plugin)", "class Base(Plugin): ...\nclass Audit(Base)"), START),
        (CLASS + "def main(): Audit.main()\n", START),
    ],
)
def test_a_class_that_nothing_starts_is_started(along: Along, before: str, after: str) -> None:
    text = text_of(along(("audit.py", before)))
    assert text.endswith(after)
    compile(text, IN_WHEEL, "exec")


@pytest.mark.parametrize(
    "line",
    [
        "if __name__ == '__main__':\n    main()\n",
        "Audit.main()\n",
        "try:\n    Audit.main()\nexcept KeyboardInterrupt:\n    pass\n",
    ],
)
def test_a_class_that_is_started_is_left_alone(along: Along, line: str) -> None:
    assert text_of(along(("audit.py", CLASS + line))).endswith(line)


def test_a_script_needs_no_class(along: Along) -> None:
    script = "import time\n\nwhile True:\n    time.sleep(10)\n"
    assert text_of(along(("audit.py", script))) == script


def test_the_encoding_stays(along: Along) -> None:
    text = "# -*- coding: latin-1 -*-\n# f\u00fcr\n" + CLASS + "Audit.main()\n"
    ported = along(("audit.py", text.encode("latin-1")))
    assert "f\u00fcr" in ported.files[IN_WHEEL].decode("latin-1")


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        ([("audit.sh", "echo\n")], ["audit.sh", "its name must end in .py"]),
        ([("audit.py", "x = = 1\n")], ["audit.py:1: not Python: invalid syntax"]),
        ([("audit.py", b"\x00")], ["audit.py: not Python"]),
        ([("audit.py", b"\xff")], ["audit.py: cannot be decoded", "save it as UTF-8"]),
        (
            [("audit.py", '"""Nothing."""\nimport os\n\nX = 1\ndef f(): ...\nclass C: ...\n')],
            ["audit.py: nothing happens when it is run", "tinykv.hpu.plugins.Plugin"],
        ),
        (
            [("audit.py", CLASS + "\nclass Other(Plugin): ...\n")],
            ["starts none of its plugins Audit, Other", "`Audit.main()`"],
        ),
        (
            [("audit.py", CLASS), ("all_audit.py", CLASS)],
            ["all_audit.py: another plugin is called", "rename one of them"],
        ),
    ],
)
def test_one_line_says_why_it_is_no_plugin(
    along: Along, plugins: list[tuple[str, str]], words: list[str]
) -> None:
    with pytest.raises(PorterError) as caught:
        along(*plugins)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_file_of_the_package_is_not_replaced(along: Along) -> None:
    recipe = PLACE.replace('"tinykv/plugins"', '"tinykv"').replace('"all", "worker"', "")
    with pytest.raises(PorterError, match=r"tinykv/plain\.py: is in the package already"):
        along(("plain.py", CLASS), recipe=recipe)


@pytest.mark.parametrize("recipe", ["", PLACE.replace("]\n", ']\nversions = ">1.2"\n', 1)])
def test_a_recipe_that_knows_no_plugins(along: Along, recipe: str) -> None:
    with pytest.raises(PorterError, match=r"recipe\.toml: has no \[plugins\] for this release"):
        along(("audit.py", CLASS), recipe=recipe)


def test_a_file_that_is_not_there(tiny: Any, tmp_path: Path) -> None:
    tiny.recipe.write_text(tiny.recipe.read_text() + PLACE)
    missing = tmp_path / "missing.py"
    with pytest.raises(PorterError, match=r"missing\.py: cannot be read: No such file"):
        port(
            Release.of(tiny.tree),
            Recipe.load(tiny.recipe),
            default_rulebook(),
            plugins=[missing],
        )
