"""A requirement -> the archive of the release that answers it."""

from __future__ import annotations

import hashlib
import json
import sys
import sysconfig

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.cache import Archive, Cache
from porter.sources.fetch import Index, is_exact, stated_sha256
from porter.sources.settings import IndexSettings, index_settings


def archive_of(
    text: str, cache: Cache, progress: Progress | None = None, *, sdist: bool = False
) -> Archive:
    """The archive of the requirement ``text``, from the cache or from the user's indexes.

    An exact requirement that was answered before needs no network. With ``sdist`` it is one.

    Raises PorterError for what is no requirement or cannot be fetched.
    """
    requirement = _parse(text)
    settings = index_settings()
    pin = _pin(requirement, settings, sdist) if is_exact(requirement) else None
    if pin and (archive := cache.pinned(pin)):
        return archive
    archive = _fetch(requirement, settings, cache, progress, sdist)
    if pin:
        cache.pin(pin, archive)
    return archive


def _parse(text: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise PorterError(f"no such file, and not a requirement: {text!r}: {reason}") from None
    if requirement.url:
        raise PorterError(f"{text!r}: download the archive and give its path instead of a URL")
    return requirement


def _fetch(
    requirement: Requirement,
    settings: IndexSettings,
    cache: Cache,
    progress: Progress | None,
    sdist: bool,
) -> Archive:
    with Index(settings, sdist=sdist) as index, cache.scratch() as scratch:
        link = index.best(requirement)
        sha256 = stated_sha256(link)
        if sha256 and (archive := cache.archive(sha256, link.filename)):
            return archive
        return cache.keep(index.download(link, scratch, progress))


def _pin(requirement: Requirement, settings: IndexSettings, sdist: bool) -> str:
    """A name for all that decides which archive answers an exact requirement."""
    interpreter = (sys.implementation.cache_tag, sysconfig.get_platform())
    choice = (str(requirement.specifier), settings.index_urls, settings.find_links, interpreter)
    digest = hashlib.sha256(json.dumps(choice).encode()).hexdigest()
    kind = "-sdist" if sdist else ""
    return f"{canonicalize_name(requirement.name)}{kind}-{digest[:16]}"
