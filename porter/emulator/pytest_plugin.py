"""``pytest --hpu-emulator``: the test suite runs with the emulated device. Off unless asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("hpu").addoption(
        "--hpu-emulator",
        action="store_true",
        help="Run with Gaudi's hpu device on host memory, in child processes too.",
    )


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any conftest or test is imported, since they may touch the accelerator."""
    if not early_config.known_args_namespace.hpu_emulator:
        return
    import pytest  # noqa: PLC0415

    from porter.emulator.install import emulated, install  # noqa: PLC0415
    from porter.errors import PorterError  # noqa: PLC0415

    try:
        install()
    except PorterError as error:
        raise pytest.UsageError(f"--hpu-emulator: {error}") from error
    os.environ.update(emulated(os.environ))
