"""ported/lmcache/overlay: every name of upstream's native modules is there, and honest."""

from __future__ import annotations

import ast
import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from porter.package.recipe import Recipe, find_recipe
from porter.package.release import Release
from porter.sources.elf import is_elf
from porter.sources.names import module_name
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree

NAMES = [
    line.split()
    for line in (Path(__file__).parent / "native_names.txt").read_text().splitlines()
    if not line.startswith("#")
]
RECIPE = find_recipe("lmcache")
NATIVE = [route for route in RECIPE.routes if not route.is_of_a_name]
TARGETS = {route.source: route.target for route in NATIVE}
IMPLEMENTED = {(route.source, name) for route in NATIVE for name in route.implemented}
# One of each era: c_ops alone, beside other modules, and cuda_ops behind device_ops.
RELEASES = ("0.3.9.post2", "0.5.3", "0.5.6")


@pytest.fixture(autouse=True)
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The overlay as an importable package."""
    pytest.importorskip("torch", reason="the operations work on tensors")
    for row in RECIPE.overlays:
        shutil.copytree(row.folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "lmcache" / "__init__.py").touch()
    loaded = [name for name in sys.modules if name.partition(".")[0] == "lmcache"]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "lmcache"]:
        del sys.modules[name]


def ours(module: str) -> ModuleType:
    if TARGETS[module] == "lmcache.hpu.ops":
        pytest.importorskip("torch", reason="operations on tensors")
    return importlib.import_module(TARGETS[module])


def test_what_has_no_tensors_needs_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert ours("lmcache.lmcache_native").Bitmap(3).size() == 3
    assert ours("lmcache.native_storage_ops").TTLLock()


@pytest.mark.parametrize(("module", "name"), NAMES, ids=lambda text: text)
def test_every_native_name_is_there(module: str, name: str) -> None:
    value: object = ours(module)
    for part in name.split("."):
        value = getattr(value, part)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, name in NAMES if (module, name.split(".")[0]) not in IMPLEMENTED],
    ids=lambda text: text,
)
def test_a_name_without_an_implementation_says_so(module: str, name: str) -> None:
    with pytest.raises(NotImplementedError) as caught:
        getattr(ours(module), name)(1, 2, option=3)
    message = str(caught.value)
    assert f".{name} is not implemented yet" in message
    assert "PORTED.md" in message
    assert "\n" not in message


def test_an_attribute_of_a_class_says_so_too() -> None:
    client = ours("lmcache.lmcache_redis").LMCacheRedisClient
    with pytest.raises(NotImplementedError, match=r"LMCacheRedisClient\.open is not implemented"):
        client.open()
    assert not hasattr(client, "__orig_bases__")


def test_annotations_can_be_evaluated() -> None:
    """Upstream writes ``Bitmap | None`` where it is evaluated when the module loads."""
    assert ours("lmcache.lmcache_native").Bitmap | None


@pytest.mark.parametrize("module", ["lmcache.c_ops", "lmcache.lmcache_native"])
def test_enumerations_have_upstream_s_numbers(module: str) -> None:
    native = ours(module)
    assert int(native.TransferDirection.H2D) == 0
    assert int(native.TransferDirection.D2H) == 1
    assert native.GPUKVFormat is native.EngineKVFormat
    assert native.EngineKVFormat.NL_X_TWO_X_NB_BS_NH_HS == 16
    assert sorted(native.EngineKVFormat) == list(range(19))


def test_both_modules_share_one_enumeration() -> None:
    first, second = ours("lmcache.c_ops"), ours("lmcache.lmcache_native")
    assert first.EngineKVFormat is second.EngineKVFormat


@pytest.mark.parametrize("module", sorted(TARGETS))
def test_all_is_complete(module: str) -> None:
    native = ours(module)
    named = {name for source, name in NAMES if TARGETS[source] == native.__name__}
    assert {name.partition(".")[0] for name in named} <= set(native.__all__)
    assert all(hasattr(native, name) for name in native.__all__)


def test_implemented_names_are_there_and_do_not_refuse() -> None:
    for route in NATIVE:
        for name in route.implemented:
            value = getattr(ours(route.source), name)
            assert type(value).__name__ != "Pending"
            assert getattr(value, "__name__", "") != "refuse"
            assert not hasattr(value, "__wrapped__")


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Release:
    return Release.of(open_source(f"lmcache=={request.param}"))


@pytest.mark.network
def test_every_name_that_a_release_uses_is_there(release: Release) -> None:
    used = set(_used_names(release.tree, RECIPE.at(release.version)))
    assert used
    for module, name in used:
        test_every_native_name_is_there(module, name)
        assert [module, name] in NAMES, "add it to native_names.txt"


@pytest.mark.network
def test_every_compiled_module_of_a_release_has_a_route(release: Release) -> None:
    compiled = {module_name(path) for path in release.package if is_elf(release.tree.root / path)}
    assert compiled
    assert compiled <= {route.source for route in RECIPE.at(release.version).routes}


def _used_names(tree: SourceTree, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Native module and name, for every import of one and every attribute of an import."""
    modules = {route.source for route in recipe.routes if not route.is_of_a_name}
    clues = [module.rpartition(".")[2].encode() for module in modules]
    for path in tree.python_files():
        data = tree.read(path)
        if not any(clue in data for clue in clues):
            continue
        nodes = list(ast.walk(ast.parse(data)))
        aliases: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name in modules:
                        aliases[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.ImportFrom) and node.module in modules:
                yield from ((node.module, alias.name) for alias in node.names)
        for node in nodes:
            if isinstance(node, ast.Attribute):
                text = ast.unparse(node)
                for alias, module in aliases.items():
                    if text.startswith(f"{alias}."):
                        yield module, ".".join(text.removeprefix(f"{alias}.").split(".")[:2])
