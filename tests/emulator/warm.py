"""Run as a program: has the device already, and runs each piece of code in a fork of itself."""

import sys

import porter.emulator

porter.emulator.install()

import torch  # noqa: E402
from forking import serve  # noqa: E402

NAMES = {"torch": torch}
if "bridge" in sys.argv:
    import habana_frameworks.torch

    NAMES["habana_frameworks"] = habana_frameworks

serve(lambda code: exec(compile(code, "<test>", "exec"), dict(NAMES)))
