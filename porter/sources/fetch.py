"""Find and download the archive of a requirement, without building anything."""

from __future__ import annotations

import logging
import shutil
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import cast

import httpx2
from packaging.requirements import Requirement
from packaging.version import Version
from unearth import HashMismatchError, Link, Package, PackageFinder, UnpackError
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers import Fetcher, PyPIClient

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.archive import SDIST_SUFFIXES, WHEEL_SUFFIX
from porter.sources.settings import IndexSettings


class Index:
    """The indexes and folders of the user's settings, as a context.

    ``sdist`` passes over wheels. Its methods raise PorterError, one line: no network,
    no such package or version, a hash that is not the one that the index states.
    """

    def __init__(self, settings: IndexSettings, *, sdist: bool = False) -> None:
        if not settings.index_urls and not settings.find_links:
            raise PorterError("pip's settings leave nothing to fetch from: no-index, no find-links")
        self._suffixes = SDIST_SUFFIXES if sdist else (WHEEL_SUFFIX, *SDIST_SUFFIXES)
        self._session = _session(settings)
        self._finder = PackageFinder(
            session=cast(Fetcher, self._session),
            index_urls=settings.index_urls,
            find_links=settings.find_links,
            # Archives are read, never run: a wheel for another machine will do.
            ignore_compatibility=True,
        )

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    def best(self, requirement: Requirement) -> Link:
        """The newest version that matches: a wheel that fits, else any wheel, else the sdist.

        Pre-releases count only where the specifier names one, yanked releases
        only where it is exact.
        """
        subject = str(requirement)
        if not requirement.specifier:
            subject += " (no such file, so taken as a requirement)"
        with _one_line_errors(subject) as complaints:
            packages = [
                package
                for package in self._finder.find_all_packages(
                    requirement.name, allow_yanked=is_exact(requirement)
                )
                if package.link.filename.endswith(self._suffixes)
            ]
        pre = bool(requirement.specifier.prereleases)
        matching = _matching(packages, requirement, prereleases=pre)
        if not matching:
            raise PorterError(f"{subject}: {_why_none(packages, requirement, complaints)}")
        return matching[0].link

    def download(self, link: Link, folder: Path, progress: Progress | None = None) -> Path:
        """The archive in ``folder``, checked against the hash that the index states."""

        def report(link: Link, completed: int, total: int | None) -> None:
            if progress is not None:
                progress(completed, total)

        sha256 = stated_sha256(link)
        with _one_line_errors(link.filename):
            path = self._finder.download(
                link,
                folder,
                # unearth is content with one hash of several, and that may be the weakest.
                hashes={"sha256": [sha256]} if sha256 else None,
                download_reporter=report,
            )
            if path.parent != folder:
                path = Path(shutil.copyfile(path, folder / link.filename))
        return path


def is_exact(requirement: Requirement) -> bool:
    """Whether it names one version: ``==1.2`` or ``===1.2``, but not ``==1.*``."""
    specifiers = list(requirement.specifier)
    return (
        len(specifiers) == 1
        and specifiers[0].operator in ("==", "===")
        and not specifiers[0].version.endswith(".*")
    )


def stated_sha256(link: Link) -> str | None:
    """The SHA-256 that the index states, if it does."""
    stated = (link.hash_option or {}).get("sha256")
    return stated[0].lower() if stated else None


def _session(settings: IndexSettings) -> PyPIClient:
    proxy = settings.proxy
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    verify = _authorities(settings.cert) if settings.cert else True
    try:
        return PyPIClient(
            verify=verify,
            proxy=proxy,
            timeout=settings.timeout,
            follow_redirects=True,
            auth=MultiDomainBasicAuth(prompting=False, index_urls=settings.index_urls),
            trusted_hosts=settings.trusted_hosts,
            # unearth would send what goes to a trusted host past the proxy.
            mounts={
                f"all://{host}": httpx2.HTTPTransport(verify=False, proxy=proxy)
                for host in settings.trusted_hosts
            },
        )
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        reason = _line(error)
        raise PorterError(f"the proxy or trusted hosts cannot be used: {reason}") from error


def _authorities(cert: str) -> ssl.SSLContext:
    path = Path(cert).expanduser()
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise PorterError(f"{path}: no usable certificates (pip's cert): {error}") from error


def _matching(
    packages: Sequence[Package], requirement: Requirement, *, prereleases: bool
) -> list[Package]:
    return [
        package
        for package in packages
        if package.version
        and requirement.specifier.contains(package.version, prereleases=prereleases)
    ]


def _why_none(
    packages: Sequence[Package], requirement: Requirement, complaints: Sequence[str]
) -> str:
    early = _matching(packages, requirement, prereleases=True)
    if early:
        version = early[0].version
        return f"only pre-releases match; ask for one: {requirement.name}=={version}"
    if packages:
        return f"no such version; the newest is {_newest(packages)}"
    troubles = [text for text in complaints if "Client Error(404)" not in text]
    if troubles:
        return f"nothing found: {troubles[0]}"
    return "no package of this name where pip's settings look"


def _newest(packages: Sequence[Package]) -> Version:
    versions = [Version(package.version) for package in packages if package.version]
    return max(versions, key=lambda version: (not version.is_prerelease, version))


@contextmanager
def _one_line_errors(subject: str) -> Iterator[list[str]]:
    """Turn unearth's errors into PorterError; yields what it would have logged."""
    logger = logging.getLogger("unearth")
    complaints = _Complaints()
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(complaints)
    try:
        yield complaints.lines
    except HashMismatchError as error:
        name = next(iter(error.expected))
        raise PorterError(
            f"{subject}: refused: its {name} is {error.actual[name]}, "
            f"but the index states {error.expected[name][0]}"
        ) from error
    except httpx2.RequestError as error:
        reason = _line(error) or "no answer in time"
        raise PorterError(f"{subject}: cannot reach {error.request.url.host}: {reason}") from error
    except (UnpackError, httpx2.InvalidURL, OSError, ValueError) as error:
        raise PorterError(f"{subject}: cannot be fetched: {_line(error)}") from error
    finally:
        logger.removeHandler(complaints)
        logger.propagate = propagate


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(_line(record.getMessage()))


def _line(message: object) -> str:
    return str(message).partition("\n")[0]
