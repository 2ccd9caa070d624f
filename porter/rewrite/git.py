"""Whether git would lose something if files were overwritten."""

from __future__ import annotations

import os
import subprocess

from porter.errors import PorterError
from porter.sources.tree import SourceTree, is_python
from porter.wording import first_few


def require_clean(tree: SourceTree) -> None:
    """Raise PorterError for tracked changes or untracked Python files within ``tree``.

    Outside a repository, and without git, everything is clean.
    """
    status = _status(tree)
    dirty = [entry[3:] for entry in status if entry[:2] != "??" or is_python(entry)]
    if dirty:
        raise PorterError(
            f"{tree.label}: not committed in git: {first_few(dirty)}; commit or stash first, "
            "or give --force; nothing was written"
        )


def _status(tree: SourceTree) -> list[str]:
    """``XY path`` of each file that git does not hold as it is."""
    command = ["git", "-C", str(tree.root), "--no-optional-locks", "-c", "core.fsmonitor=false"]
    command += ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"]
    command += ["--", tree.only or "."]
    environment = {**os.environ, "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        answer = subprocess.run(command, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        return []
    if answer.returncode == 0:
        return [os.fsdecode(entry) for entry in answer.stdout.split(b"\0") if entry]
    message = " ".join(os.fsdecode(answer.stderr).split())
    if "not a git repository" in message:
        return []
    raise PorterError(
        f"{tree.label}: git cannot say whether it is clean ({message}); "
        "--force goes on without; nothing was written"
    )
