"""porter.package.build: the small package of conftest.py, ported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.findings import Status
from porter.package.build import port
from porter.package.ported import Ported
from porter.package.recipe import Recipe
from porter.package.release import Release
from porter.rulebook import default_rulebook

NATIVE = "tinykv/kernels.cpython-311-x86_64-linux-gnu.so"


def port_again(tiny: Any, **options: int) -> Ported:
    return port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook(), **options)


def test_the_package_is_rewritten_and_routed(ported: Ported) -> None:
    text = ported.files["tinykv/connector.py"].decode()
    assert "import tinykv.hpu.kernels as ops\n" in text
    assert "torch.hpu.synchronize()" in text
    assert "slots.cuda()" not in text
    assert '# pages stay on "cuda" until copied' in text


def test_what_nobody_touched_stays(ported: Ported, tiny: Any) -> None:
    for path in ("tinykv/__init__.py", "tinykv/plain.py", "tinykv/cuda_backend.py"):
        assert ported.files[path] == tiny.tree.read(path)


def test_the_backend_for_cuda_is_reported(ported: Ported) -> None:
    findings = [item for item in ported.result.findings() if item.path == "tinykv/cuda_backend.py"]
    assert findings
    assert {item.status for item in findings} == {Status.REPORTED}


def test_the_overlay_is_laid_over(ported: Ported) -> None:
    assert ported.overlay == ("tinykv/hpu/__init__.py", "tinykv/hpu/kernels.py")
    assert b"raise NotImplementedError" in ported.files["tinykv/hpu/kernels.py"]


def test_native_files_and_the_recipe_s_patterns_are_dropped(ported: Ported) -> None:
    reasons = {item.what: item.reason for item in ported.dropped_files}
    assert reasons == {
        NATIVE: "links libtorch_cpu.so",
        "tinykv/kernels.pyi": "the recipe drops it",
    }
    assert not reasons.keys() & ported.files.keys()


def test_requirements_are_dropped(ported: Ported) -> None:
    assert [item.what for item in ported.dropped_requirements] == [
        'Cupy_CUDA12x>=13; python_version < "3.13"'
    ]
    assert b"Version: 1.2+hpu.1\n" in ported.metadata


def test_everything_is_accounted_for(ported: Ported) -> None:
    assert ported.result.summary().unaccounted == 0
    assert ported.result.summary().fixable == 0


def test_what_remains_is_what_was_reported(ported: Ported) -> None:
    """The second reading is of the ported text: it finds the routed call at its new place."""
    remaining = list(ported.remaining.findings())
    assert {item.status for item in remaining} == {Status.REPORTED}
    assert sorted((item.rule, item.path) for item in remaining) == sorted(
        (item.rule, item.path)
        for item in ported.result.findings()
        if item.status is Status.REPORTED
    )
    call = next(item for item in remaining if "copy_pages" in item.before)
    line = ported.files["tinykv/connector.py"].decode().splitlines()[call.line - 1]
    assert line[call.column - 1 :].startswith("ops.copy_pages(")
    paths = [file.path for file in ported.remaining.files]
    assert paths == sorted(paths)


def test_a_native_module_that_nothing_replaces_is_still_reported(tiny: Any) -> None:
    """Also in a file that is edited for other reasons: its compiled twin is gone by then."""
    text = tiny.recipe.read_text()
    start, end = text.index("[[route]]"), text.index("[[codemod]]")
    tiny.recipe.write_text(text[:start] + text[end:])
    again = port_again(tiny)
    assert b"torch.hpu.synchronize()" in again.files["tinykv/connector.py"]
    assert again.native_modules == ("tinykv.kernels",)
    reported = [item.before for item in again.remaining.findings()]
    assert "import tinykv.kernels as ops" in reported
    assert any(code.startswith("ops.copy_pages(") for code in reported)


def test_an_overlay_that_cannot_be_decoded_is_named(tiny: Any) -> None:
    (tiny.recipe.parent / "overlay" / "tinykv" / "hpu" / "kernels.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(PorterError, match=r"tinykv/hpu/kernels\.py: cannot be decoded"):
        port_again(tiny)


def test_operations_without_an_implementation_are_named(ported: Ported, tiny: Any) -> None:
    assert ported.not_implemented == ("tinykv.hpu.kernels.copy_pages",)
    text = tiny.recipe.read_text().replace('["Kind"]', '["Kind", "copy_pages"]')
    tiny.recipe.write_text(text)
    assert port_again(tiny).not_implemented == ()


def test_a_file_that_an_overlay_replaces_is_not_counted(tiny: Any, ported: Ported) -> None:
    ours = b"def load(pages, slots):\n    return slots\n"
    (tiny.recipe.parent / "overlay" / "tinykv" / "connector.py").write_bytes(ours)
    again = port_again(tiny)
    assert again.files["tinykv/connector.py"] == ours
    assert "tinykv/connector.py" not in {item.path for item in again.result.findings()}
    assert again.result.summary().constructs < ported.result.summary().constructs


def test_a_file_that_is_dropped_is_not_counted(tiny: Any) -> None:
    tiny.recipe.write_text(
        tiny.recipe.read_text().replace('["tinykv/*.pyi"]', '["tinykv/*.pyi", "tinykv/c*.py"]')
    )
    again = port_again(tiny)
    assert "tinykv/connector.py" not in again.files
    assert again.result.summary().constructs == 0


def test_the_build_number_is_in_the_version(tiny: Any) -> None:
    assert str(port_again(tiny, build=7).version) == "1.2+hpu.7"


def test_upstream_s_tree_stays_as_it_was(tiny: Any) -> None:
    before = {path: tiny.tree.read(path) for path in tiny.tree.files()}
    port_again(tiny)
    assert {path: tiny.tree.read(path) for path in tiny.tree.files()} == before


def test_a_recipe_for_another_project_is_refused(tiny: Any) -> None:
    recipe = replace(Recipe.load(tiny.recipe), name="bigkv")
    with pytest.raises(PorterError, match=r"a recipe for bigkv, but tinykv==1\.2 is tinykv"):
        port(Release.of(tiny.tree), recipe, default_rulebook())


def test_a_compiled_file_may_not_stay(tiny: Any, make_elf: Callable[..., bytes]) -> None:
    """The wheel says that it is for any machine; a file for one machine needs a decision."""
    helper = tiny.tree.root / "tinykv" / "libhelper.so.1"
    helper.write_bytes(make_elf("libc.so.6"))
    with pytest.raises(PorterError, match=r"tinykv/libhelper\.so\.1: compiled .* \[drop\] files"):
        port_again(tiny)
    tiny.recipe.write_text(tiny.recipe.read_text().replace('["tinykv/*.pyi"]', '["tinykv/*.so.1"]'))
    dropped = {item.what: item.reason for item in port_again(tiny).dropped_files}
    assert dropped["tinykv/libhelper.so.1"] == "the recipe drops it"


def test_a_file_that_does_not_parse_is_reported_and_kept(tiny: Any, tmp_path: Path) -> None:
    broken = b"import torch\ntorch.cuda.synchronize(\n"
    (tiny.tree.root / "tinykv" / "broken.py").write_bytes(broken)
    again = port_again(tiny)
    assert again.files["tinykv/broken.py"] == broken
    assert "tinykv/broken.py" in {item.path for item in again.remaining.findings()}
