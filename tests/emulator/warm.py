"""Run as a program: has the device already, and runs each piece of code in a fork of itself.

Standard input has one JSON string of code a line; for each comes one line of JSON with the
return code and what was written to standard output and standard error.
"""

import json
import os
import sys
import tempfile
import traceback

import porter.emulator

porter.emulator.install()

import torch  # noqa: E402

NAMES = {"torch": torch}
if "bridge" in sys.argv:
    import habana_frameworks.torch

    NAMES["habana_frameworks"] = habana_frameworks


def run(code, out, err):
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    status = 0
    try:
        exec(compile(code, "<test>", "exec"), dict(NAMES))
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


for line in sys.stdin:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        if not (child := os.fork()):
            run(json.loads(line), out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for file in (out, err):
            file.seek(0)
        print(json.dumps([code, out.read(), err.read()]), flush=True)
