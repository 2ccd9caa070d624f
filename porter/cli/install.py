"""Install a ported wheel in the place of upstream's package, or bring upstream's back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from packaging.utils import canonicalize_name
from rich.text import Text

from porter.cli._output import print_text
from porter.errors import PorterError
from porter.install.check import CheckFailed
from porter.install.distribution import Distribution
from porter.install.environment import Environment
from porter.install.perform import Installed, Uninstalled, install, uninstall
from porter.install.plan import Plan, make_plan
from porter.install.transaction import recover
from porter.install.wheel import PortedWheel
from porter.rewrite.lock import locked
from porter.wording import first_few, plural


@click.command(
    epilog="\b\nExamples:\n"
    "  porter install dist/lmcache-0.5.6+hpu.1-py3-none-any.whl --python /opt/venv\n"
    "  porter install --uninstall lmcache --python /opt/venv"
)
@click.argument("what", metavar="WHEEL_or_NAME", required=False)
@click.option(
    "--uninstall",
    "is_uninstall",
    is_flag=True,
    help="Take the ported package NAME out, and put back what it had replaced.",
)
@click.option(
    "--python",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="An interpreter or a virtual environment; by default that of porter.",
)
@click.option(
    "--deps",
    is_flag=True,
    help="Fetch requirements that are missing; what is there, as Gaudi's torch, is never replaced.",
)
@click.option("--dry-run", is_flag=True, help="Look, say what would be done, and do nothing.")
@click.option("--force", is_flag=True, help="Install though requirements are not met.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    what: str | None,
    is_uninstall: bool,
    python: Path | None,
    deps: bool,
    dry_run: bool,
    force: bool,
) -> None:
    """Install a wheel that `porter port` has built, in the place of upstream's package.

    The environment is looked at first. Nothing is fetched without --deps, nothing is
    asked, and what was replaced is kept inside the installation. If anything fails, the
    environment is as it was. With --uninstall, NAME may be left out where one ported
    package is installed.
    Exit code 1 if a check failed.
    """
    if not is_uninstall and what is None:
        raise click.UsageError("name the wheel to install, or give --uninstall")
    if is_uninstall and (deps or force):
        raise click.UsageError("--deps and --force are for installing")
    wheel = None if is_uninstall else PortedWheel.read(Path(what or ""))
    environment = Environment.of(python)
    try:
        with locked(environment.packages):
            for name in recover(environment):
                click.echo(f"porter: put {name} back, left by a run that was killed", err=True)
            if wheel is None:
                _uninstall(environment, what, dry_run)
            else:
                plan = make_plan(wheel, environment, fetch=deps)
                ctx.exit(_install(plan, dry_run, force))
    except CheckFailed as error:
        click.echo(f"porter: {error}", err=True)
        ctx.exit(1)


def _install(plan: Plan, dry_run: bool, force: bool) -> int:
    """The exit code."""
    print_text(Text("\n").join(_planned(plan, force)))
    stops = [*plan.obstacles, *(() if force else map(str, plan.unmet))]
    for stop in stops:
        click.echo(f"porter: {stop}", err=True)
    if stops:
        cure = "" if plan.obstacles else "; --deps fetches what is missing, --force does without"
        click.echo(f"porter: nothing was changed{cure}", err=True)
        return 1
    if not dry_run:
        print_text(Text("\n").join(_done(plan, install(plan, force=force))))
    return 0


def _planned(plan: Plan, force: bool) -> Iterator[Text]:
    wheel, environment = plan.wheel, plan.environment
    yield Text(f"{wheel} into {environment.prefix} (Python {environment.version})", "bold")
    if plan.replaced is None:
        yield Text(f"no {wheel.name} is there to be replaced")
    else:
        yield Text(f"replaces {plan.replaced}")
    for requirement in plan.fetched:
        yield Text(f"fetches {requirement}")
    if force and plan.unmet:
        names = ", ".join(str(item.requirement) for item in plan.unmet)
        yield Text(f"goes without: {names}", "yellow")
    for note in plan.notes:
        yield Text(f"note: {note}", "yellow")


def _done(plan: Plan, done: Installed) -> Iterator[Text]:
    for item in done.fetched:
        yield Text(f"fetched {item}")
    for result in done.imports:
        if result.missing:
            yield Text(f"not tried: {result.module}, which needs {result.missing}")
    works = [result.module for result in done.imports if not result.missing]
    tried = f"; imported {', '.join(works)}" if works else ""
    yield Text(f"installed: {plural(done.files, 'file')} as in the wheel{tried}")
    back = f"`porter install --uninstall {plan.wheel.name}`"
    if done.kept:
        yield Text(f"kept {plan.wheel.name} {done.kept}: {back} brings it back")
    else:
        yield Text(f"{back} takes it out again")


def _uninstall(environment: Environment, name: str | None, dry_run: bool) -> None:
    ported = _ported(environment, name)
    click.echo(f"takes {ported} out of {environment.prefix}")
    if not dry_run:
        print_text(Text("\n").join(_undone(ported, uninstall(environment, ported))))


def _undone(ported: Distribution, done: Uninstalled) -> Iterator[Text]:
    if done.restored is None:
        yield Text(f"removed {ported}; there was no {ported.name} before it")
    elif done.from_index:
        yield Text(
            f"installed {ported.name} {done.restored} from the package index: what was there "
            "before is not known, for porter did not install the port"
        )
    else:
        yield Text(f"put {ported.name} {done.restored} back as it was")
    for complaint in done.complaints:
        yield Text(f"note: {complaint}", "yellow")


def _ported(environment: Environment, name: str | None) -> Distribution:
    """The one that is meant. Raises PorterError where there is none, or more than one."""
    installed = environment.distributions()
    ported = {key: item for key, item in installed.items() if item.is_ported}
    if name is not None:
        found = ported.get(canonicalize_name(name))
        if found is None:
            there = installed.get(canonicalize_name(name))
            raise PorterError(
                f"{there} is not a ported package"
                if there
                else f"{name}: not installed in {environment.prefix}"
            )
        return found
    if len(ported) != 1:
        names = first_few(sorted(ported))
        raise PorterError(
            f"{environment.prefix}: which one? Ported packages there: {names}"
            if ported
            else f"{environment.prefix}: no ported package is installed there"
        )
    return next(iter(ported.values()))
