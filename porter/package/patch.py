"""All that porter changed of a release, as one patch."""

from __future__ import annotations

from collections.abc import Iterator

from porter import __version__
from porter.package.ported import Ported
from porter.report.patch import unified_patch


def changes_patch(ported: Ported) -> bytes:
    """A patch for the unpacked release, as ``patch -p1`` and ``git apply`` take it.

    It makes the ported package and its metadata out of upstream's; what a patch
    cannot say, the files that are not text and were dropped, stands in its head.
    """
    return b"".join([_head(ported).encode(), *_patches(ported)])


def _head(ported: Ported) -> str:
    release = ported.release
    lines = [
        f"{release.name} {release.version} -> {ported.version}, by porter {__version__}",
        "apply with `patch -p1` or `git apply` in the folder of the unpacked release",
        *(
            f"delete by hand: {item.what}: {item.reason}"
            for item in ported.dropped_files
            if _is_binary(release.tree.read(item.what))
        ),
    ]
    return "".join(f"# {line}\n" for line in lines)


def _patches(ported: Ported) -> Iterator[bytes]:
    release = ported.release
    upstream = frozenset(release.package)
    for path in sorted(upstream | ported.files.keys()):
        before = release.tree.read(path) if path in upstream else None
        after = ported.files.get(path)
        if after is not None or before is None or not _is_binary(before):
            yield unified_patch(path, before, after)
    yield unified_patch(release.metadata, release.tree.read(release.metadata), ported.metadata)


def _is_binary(data: bytes) -> bool:
    """As git decides it: a NUL byte near the beginning."""
    return b"\0" in data[:8000]
