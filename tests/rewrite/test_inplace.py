from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from porter.codemods.engine import analyse
from porter.errors import PorterError
from porter.findings import Result
from porter.rewrite import rewrite, undo
from porter.rewrite.atomic import staging_path
from porter.rewrite.lock import locked
from porter.rulebook import default_rulebook
from porter.sources.tree import Kind, SourceTree

Replacing = Callable[..., Result]
Snapshot = Callable[[Path], dict[str, bytes]]


def test_only_the_spans_change(tree: SourceTree, replacing: Replacing, snapshot: Snapshot) -> None:
    before = snapshot(tree.root)
    written = rewrite(tree, replacing(tree.root))
    assert written.files == ("pkg/a.py", "pkg/b.py", "pkg/deep/c.py")
    edited = {path: before[path].replace(b"cuda", b"hpu") for path in written.files}
    assert snapshot(tree.root) == {**before, **edited}


def test_a_file_without_an_edit_is_not_touched(tree: SourceTree, replacing: Replacing) -> None:
    untouched = tree.root / "pkg/none.py"
    before = untouched.stat()
    rewrite(tree, replacing(tree.root))
    after = untouched.stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_the_second_run_touches_nothing(tree: SourceTree, replacing: Replacing) -> None:
    first = rewrite(tree, replacing(tree.root))
    times = {path: path.stat().st_mtime_ns for path in tree.root.rglob("*")}
    second = rewrite(tree, replacing(tree.root))
    assert first.journal == tree.root / ".porter/1"
    assert (second.files, second.journal) == ((), None)
    assert {path: path.stat().st_mtime_ns for path in tree.root.rglob("*")} == times


def test_an_edit_that_changes_nothing_is_none(tree: SourceTree, replacing: Replacing) -> None:
    assert rewrite(tree, replacing(tree.root, "cuda", "cuda")).journal is None
    assert not (tree.root / ".porter").exists()


def test_permissions_are_kept(tree: SourceTree, replacing: Replacing) -> None:
    (tree.root / "pkg/a.py").chmod(0o751)
    rewrite(tree, replacing(tree.root))
    assert (tree.root / "pkg/a.py").stat().st_mode & 0o7777 == 0o751


def test_the_journal_keeps_itself_out_of_git_and_shows_a_patch(
    tree: SourceTree, replacing: Replacing
) -> None:
    original = (tree.root / "pkg/a.py").read_bytes()
    rewrite(tree, replacing(tree.root))
    journal = tree.root / ".porter"
    assert (journal / ".gitignore").read_text() == "*\n"
    assert (journal / "1/originals/pkg/a.py").read_bytes() == original
    assert (
        b"-x = torch.cuda.Stream()\n+x = torch.hpu.Stream()\n"
        in (journal / "1/changes.patch").read_bytes()
    )


def test_only_the_file_of_a_file_tree(tree: SourceTree, replacing: Replacing) -> None:
    result = replacing(tree.root)
    one = SourceTree(tree.root / "pkg", Kind.FILE, "a.py", only="a.py")
    rewrite(one, replace(result, files=(replace(result.files[0], path="a.py"),)))
    assert (tree.root / "pkg/a.py").read_bytes() == b"x = torch.hpu.Stream()\n"
    assert (tree.root / "pkg/.porter/1").is_dir()


@pytest.mark.parametrize("kind", [Kind.WHEEL, Kind.SDIST])
def test_an_archive_needs_output(tree: SourceTree, replacing: Replacing, kind: Kind) -> None:
    with pytest.raises(PorterError, match="--output"):
        rewrite(replace(tree, kind=kind), replacing(tree.root))


def test_a_replacement_that_the_encoding_lacks(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    before = snapshot(tree.root)
    with pytest.raises(PorterError, match=r"pkg/b\.py: its encoding iso-8859-1 has no '→'"):
        rewrite(tree, replacing(tree.root, "cuda", "→"))
    assert snapshot(tree.root) == before


@pytest.mark.parametrize("protected", ["pkg/deep/c.py", "pkg/deep", "."])
def test_a_read_only_target(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, protected: str
) -> None:
    before = snapshot(tree.root)
    place = tree.root / protected
    mode = place.stat().st_mode
    place.chmod(0o555)
    try:
        with pytest.raises(PorterError, match="read-only") as caught:
            rewrite(tree, replacing(tree.root))
    finally:
        place.chmod(mode)
    assert str(place) in str(caught.value)
    assert snapshot(tree.root) == before
    assert not (tree.root / ".porter").exists()


class TestLinks:
    def test_inside_the_tree_the_real_file_is_written(
        self, tree: SourceTree, replacing: Replacing
    ) -> None:
        link = tree.root / "pkg/link.py"
        link.symlink_to("a.py")
        written = rewrite(tree, replacing(tree.root))
        assert link.is_symlink()
        assert link.read_bytes() == b"x = torch.hpu.Stream()\n"
        assert "pkg/link.py" not in written.files
        undo(tree.root)
        assert link.is_symlink()
        assert link.read_bytes() == b"x = torch.cuda.Stream()\n"

    def test_outside_the_tree_nothing_is_written(
        self, tree: SourceTree, replacing: Replacing, snapshot: Snapshot, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside.py"
        outside.write_bytes(b"cuda\n")
        (tree.root / "link.py").symlink_to(outside)
        one = SourceTree(tree.root, Kind.FILE, "link.py", only="link.py")
        result = Result(("link.py",), (replace(replacing(tmp_path).files[0], path="link.py"),))
        with pytest.raises(PorterError, match=r"link\.py: a link to .*outside\.py"):
            rewrite(one, result)
        assert outside.read_bytes() == b"cuda\n"


class TestGit:
    @pytest.fixture
    def repository(self, tree: SourceTree, monkeypatch: pytest.MonkeyPatch) -> SourceTree:
        """The tree, committed, in a repository above it."""
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            monkeypatch.delenv(name, raising=False)
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            monkeypatch.setenv(name, "/dev/null")
        above = tree.root.parent
        for command in (
            ["init", "--quiet"],
            ["add", "."],
            ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "all"],
        ):
            subprocess.run(["git", *command], cwd=above, check=True)
        return tree

    def test_a_clean_tree_is_written(self, repository: SourceTree, replacing: Replacing) -> None:
        assert rewrite(repository, replacing(repository.root)).files
        status = subprocess.run(
            ["git", "status", "--porcelain"],
            cwd=repository.root,
            check=True,
            capture_output=True,
            text=True,
        )
        assert ".porter" not in status.stdout

    @pytest.mark.parametrize(
        ("path", "dirty"),
        [
            ("pkg/none.py", True),
            ("README.md", True),
            ("new.py", True),
            ("new.pyi", True),
            ("new.txt", False),
            ("../outside.py", False),
        ],
    )
    def test_what_is_dirty(
        self,
        repository: SourceTree,
        replacing: Replacing,
        snapshot: Snapshot,
        path: str,
        dirty: bool,
    ) -> None:
        (repository.root / path).write_text("changed = 1\n")
        before = snapshot(repository.root)
        result = replacing(repository.root)
        if not dirty:
            assert rewrite(repository, result).files
            return
        with pytest.raises(PorterError, match=f"{path}.*--force"):
            rewrite(repository, result)
        assert snapshot(repository.root) == before
        assert rewrite(repository, result, force=True).files

    def test_only_the_file_itself_counts_for_a_file(
        self, repository: SourceTree, replacing: Replacing
    ) -> None:
        (repository.root / "pkg/none.py").write_text("changed = 1\n")
        file = replacing(repository.root).files[0]
        one = SourceTree(repository.root / "pkg", Kind.FILE, "a.py", only="a.py")
        assert rewrite(one, Result((), (replace(file, path="a.py"),))).files == ("a.py",)

    def test_a_second_run_on_what_porter_changed_has_nothing_to_refuse(
        self, repository: SourceTree, replacing: Replacing
    ) -> None:
        rewrite(repository, replacing(repository.root))
        assert rewrite(repository, replacing(repository.root)).files == ()

    def test_a_repository_that_git_cannot_read_is_not_clean(
        self, repository: SourceTree, replacing: Replacing
    ) -> None:
        (repository.root.parent / ".git/HEAD").write_text("ref: refs/heads/main\n")
        (repository.root.parent / ".git/index").write_bytes(b"damaged")
        with pytest.raises(PorterError, match="git cannot say"):
            rewrite(repository, replacing(repository.root))

    def test_without_git(
        self, repository: SourceTree, replacing: Replacing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (repository.root / "new.py").write_text("new = 1\n")
        monkeypatch.setenv("PATH", "")
        assert rewrite(repository, replacing(repository.root)).files


def test_a_leftover_of_a_kill_is_no_obstacle(tree: SourceTree, replacing: Replacing) -> None:
    leftover = staging_path(tree.root / "pkg/a.py")
    leftover.write_bytes(b"half")
    rewrite(tree, replacing(tree.root))
    assert not leftover.exists()


def test_two_porters_do_not_write_at_once(tmp_path: Path) -> None:
    """The second one is told so, and the originals of the first one stay."""
    (tmp_path / "m.py").write_text("x.cuda()\n")
    tree = SourceTree(tmp_path, Kind.FOLDER, str(tmp_path))
    result = analyse(tree, default_rulebook())
    with locked(tmp_path), pytest.raises(PorterError, match="another porter is writing here"):
        rewrite(tree, result)
    with locked(tmp_path), pytest.raises(PorterError, match="another porter is writing here"):
        undo(tmp_path)
    assert (tmp_path / "m.py").read_text() == "x.cuda()\n"
    assert rewrite(tree, result).files == ("m.py",)


def test_a_file_that_changed_since_it_was_read_is_left(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x.cuda()\n")
    tree = SourceTree(tmp_path, Kind.FOLDER, str(tmp_path))
    result = analyse(tree, default_rulebook())
    (tmp_path / "m.py").write_text("y = 1\nx.cuda()\n")
    with pytest.raises(PorterError, match=r"m\.py: changed while porter was reading it"):
        rewrite(tree, result)
    assert (tmp_path / "m.py").read_text() == "y = 1\nx.cuda()\n"
