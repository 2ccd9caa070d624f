"""porter.package.recipe: what a recipe may say, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from porter.errors import PorterError
from porter.package.recipe import Drop, Recipe, find_recipe

HEAD = '[package]\nname = "kv"\nsupported = ">=1,<3"\ntier = 2\n'
RELEASES = """
0.3.0 0.3.1 0.3.1.post1 0.3.2 0.3.3 0.3.4 0.3.5 0.3.6 0.3.7 0.3.9 0.3.9.post1 0.3.9.post2
0.3.10 0.3.10.post1 0.3.10.post2 0.3.11 0.3.12 0.3.13 0.3.14 0.3.15 0.4.1 0.4.2 0.4.3 0.4.4
0.4.5 0.4.6 0.4.7 0.5.0 0.5.1 0.5.2 0.5.3 0.5.4 0.5.5 0.5.6
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "overlay" / "kv").mkdir(parents=True)
    (tmp_path / "overlay" / "kv" / "ours.py").write_text("OURS = True\n")
    return tmp_path


def load(folder: Path, text: str, head: str = HEAD) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(head + text)
    return Recipe.load(path)


def test_rows_are_chosen_by_release(folder: Path) -> None:
    recipe = load(
        folder,
        """
        [[route]]
        versions = "<2"
        from = "kv.c"
        to = "kv.hpu.c"
        implemented = ["copy"]
        [[route]]
        versions = ">=2"
        from = "kv.d"
        to = "kv.hpu.d"
        [[overlay]]
        versions = ">=2"
        folder = "overlay"
        [[codemod]]
        name = "cuda_only"
        options.paths = ["kv/cuda/*"]
        [[contract]]
        versions = ">=2"
        class = "kv.hpu.connector:Connector"
        base = "caller.base:Base"
        own = ["save"]
        [environment]
        "<2" = "0.11.0"
        ">=2" = "0.32.0"
        """,
    )
    old, new = recipe.at(Version("1.9.post1")), recipe.at(Version("2.0"))
    assert [route.source for route in old.routes] == ["kv.c"]
    assert [route.source for route in new.routes] == ["kv.d"]
    assert not old.overlays and not old.contracts
    (contract,) = new.contracts
    assert (contract.implementation, contract.base, contract.own) == (
        "kv.hpu.connector:Connector",
        "caller.base:Base",
        ("save",),
    )
    assert list(new.overlays[0].files()) == ["kv/ours.py"]
    assert (old.vllm, new.vllm) == (Version("0.11.0"), Version("0.32.0"))
    assert old.options().cuda_only == new.options().cuda_only == ("kv/cuda/*",)


def test_the_codemods_are_told_by_dotted_names(folder: Path) -> None:
    recipe = load(folder, '[[route]]\nfrom = "kv.c"\nto = "kv.hpu.c"\nimplemented = ["copy"]\n')
    options = recipe.at(Version("1")).options()
    assert options.routes == {"kv.c": "kv.hpu.c"}
    assert options.implemented == {"kv.hpu.c.copy"}


def test_a_route_of_a_class_promises_the_class(folder: Path) -> None:
    recipe = load(folder, '[[route]]\nfrom = "kv.c.Pages"\nto = "kv.hpu.c.HPUPages"\n')
    options = recipe.at(Version("1")).options()
    assert options.routes == {"kv.c.Pages": "kv.hpu.c.HPUPages"}
    assert options.implemented == {"kv.hpu.c.HPUPages"}
    assert [route.module for route in recipe.routes] == ["kv.hpu.c"]


def test_a_pattern_may_give_its_reason_or_not(folder: Path) -> None:
    recipe = load(
        folder, '[drop]\nfiles = ["kv/*.cu"]\nrequirements = { "cupy*" = "arrays on CUDA" }\n'
    )
    assert list(recipe.drop.files) == ["kv/*.cu"]
    assert recipe.drop.files["kv/*.cu"]
    assert recipe.drop.requirements == {"cupy*": "arrays on CUDA"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [("kv/a.cu", "kernels"), ("kv/deep/a.cu", "kernels"), ("kv/A.CU", None), ("kv/a.py", "first")],
)
def test_the_first_pattern_of_a_file_gives_the_reason(path: str, reason: str | None) -> None:
    drop = Drop({"kv/*.cu": "kernels", "kv/a.*": "first", "*.py": "second"}, {})
    assert drop.reason_for_file(path) == reason


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("torch==2.7", "pinned"),
        ("Torch ==2.7, !=2.7.1", "pinned"),
        ("torch>=2", None),
        ("torchvision==1", None),
        ('Cupy_CUDA12x[all]>=13; python_version < "3.13"', "arrays"),
    ],
)
def test_a_requirement_goes_by_its_name_or_by_a_clause(
    requirement: str, reason: str | None
) -> None:
    drop = Drop({}, {"torch==*": "pinned", "cupy-*": "arrays"})
    assert drop.reason_for(Requirement(requirement)) == reason


def test_entry_points_are_read(folder: Path) -> None:
    recipe = load(folder, '[entry_points."a.plugins"]\n"10.kv" = "kv.hpu:go"\n')
    assert recipe.entry_points == {"a.plugins": {"10.kv": "kv.hpu:go"}}


def test_caches_of_the_interpreter_are_no_overlay(folder: Path) -> None:
    (folder / "overlay" / "kv" / "__pycache__").mkdir()
    (folder / "overlay" / "kv" / "__pycache__" / "ours.cpython-311.pyc").write_bytes(b"\0")
    recipe = load(folder, '[[overlay]]\nfolder = "overlay"\n')
    assert list(recipe.overlays[0].files()) == ["kv/ours.py"]


@pytest.mark.parametrize(
    ("text", "place", "cure"),
    [
        ("[surprise]\n", "recipe.toml", "unknown keys: surprise"),
        ('[[route]]\nfrom = "a"\nto = "b"\ninto = "c"\n', "[[route]] 1", "unknown keys: into"),
        ('[[route]]\nto = "b"\n', "[[route]] 1", "add from"),
        ('[[route]]\nfrom = "a"\nto = 1\n', "[[route]] 1", "to must be a string"),
        ('[[route]]\nfrom = "a"\nto = "b"\nimplemented = "c"\n', "[[route]] 1", "list of strings"),
        ('[route]\nfrom = "a"\n', "recipe.toml", "write [[route]], not [route]"),
        ('[[route]]\nversions = "~>1"\nfrom = "a"\nto = "b"\n', "[[route]] 1", "PEP 440 specifier"),
        ('[[codemod]]\nname = "magic"\n', "[[codemod]] 1", "no codemod 'magic'"),
        (
            '[[codemod]]\nname = "cuda_only"\noptions.paths = "kv/*"\n',
            "[[codemod]] 1: options",
            "paths must be a list of strings",
        ),
        (
            '[[codemod]]\nname = "cuda_only"\noptions.path = []\n',
            "[[codemod]] 1: options",
            "unknown keys: path",
        ),
        ('[[codemod]]\nname = "cuda_only"\n', "[[codemod]] 1: options", "add paths"),
        ('[[overlay]]\nfolder = "overlays"\n', "[[overlay]] 1", "overlays is no folder"),
        ('[[contract]]\nclass = "kv.a:A"\n', "[[contract]] 1", "add base"),
        (
            '[[contract]]\nclass = "kv.a.A"\nbase = "b:B"\n',
            "[[contract]] 1",
            "class must be written as package.module:Class, not 'kv.a.A'",
        ),
        ("[plugins]\nfile = 1\n", "plugins", "unknown keys: file"),
        ('[plugins]\nfolder = "kv"\nstart = "{plugin}()"\n', "plugins", "add bases"),
        (
            '[plugins]\nfolder = "kv"\nbases = ["kv.P"]\nstart = "main()"\n',
            "plugins",
            "start must have {plugin} in it",
        ),
        ("[budget]\nbites = 1\n", "budget", "unknown keys: bites; it takes tokens, kv"),
        ("[drop]\nfolders = []\n", "drop", "unknown keys: folders"),
        ('[drop]\nfiles = "a"\n', "drop: files", "must be a table"),
        ('[environment]\nvllm = "0.11"\n', "environment", "PEP 440 specifier"),
        ('[environment]\n">1" = "newest"\n', "environment", "no PEP 440 version"),
        ("entry_points = 3\n", "recipe.toml", ""),
    ],
)
def test_one_line_says_what_is_wrong_and_where(
    folder: Path, text: str, place: str, cure: str
) -> None:
    with pytest.raises(PorterError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert place in message
    assert cure in message
    assert str(folder / "recipe.toml") in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("head", "cure"),
    [
        ("", "add name"),
        ('[package]\nname = "kv"\nsupported = ">=1"\n', "add tier"),
        (HEAD.replace("2", '"2"'), "tier must be a number"),
        (HEAD.replace(">=1,<3", "1 to 3"), "no PEP 440 specifier"),
        (HEAD + 'licence = "x"\n', "unknown keys: licence"),
        ("[package\n", "not valid TOML"),
    ],
)
def test_a_wrong_head_is_named(folder: Path, head: str, cure: str) -> None:
    with pytest.raises(PorterError, match=cure):
        load(folder, "", head)


def test_a_release_that_is_not_supported_is_refused(folder: Path) -> None:
    recipe = load(folder, "")
    with pytest.raises(PorterError, match=r"kv 3\.0: not supported by .*recipe\.toml"):
        recipe.at(Version("3.0"))
    recipe.at(Version("2.0rc1"))


def test_a_package_without_a_recipe_is_told_of_the_option() -> None:
    with pytest.raises(PorterError, match="--recipe FILE"):
        find_recipe("no-such-package")


@pytest.mark.parametrize("release", RELEASES.split())
def test_the_recipe_of_lmcache_has_what_every_release_needs(release: str) -> None:
    recipe = find_recipe("LMCache").at(Version(release))
    kernels = "lmcache.c_ops" if Version(release) < Version("0.5.4") else "lmcache.cuda_ops"
    targets = {route.source: route.target for route in recipe.routes}
    assert targets[kernels] == "lmcache.hpu.ops"
    assert recipe.vllm is not None
    overlaid = {path for overlay in recipe.overlays for path in overlay.files()}
    assert all(run.files() for run in recipe.runs)
    for route in recipe.routes:
        assert f"{route.module.replace('.', '/')}.py" in overlaid


def test_the_recipe_in_the_guide_loads(tmp_path: Path) -> None:
    guide = Path(__file__).parents[2] / "docs" / "recipes.md"
    (tmp_path / "overlay").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "pages.py").touch()
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(guide.read_text().partition("```toml\n")[2].partition("```")[0])
    assert Recipe.load(recipe).at(Version("1.4")).options().cuda_only == ("pagekv/backends/cuda/*",)
