"""A process that has the slow imports behind it, and does each job in a fork of itself.

A program calls ``serve`` with what is to be done for a job; ``Server`` starts it and gives it jobs,
any JSON value each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

LIMIT = 300  # seconds for a job
ANSWERING = "FORKING_ANSWERS"  # the descriptor that answers go to


@dataclass(frozen=True)
class Done:
    """How a job ended; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The last line of a traceback."""
        return (self.err.strip().splitlines() or [""])[-1]


class Server:
    """A program that serves; if it ends before its time, that is how all further jobs end.

    ``path`` stands before this process's ``sys.path`` on that of the program.
    """

    def __init__(
        self, program: Path, *arguments: str, path: tuple[Path, ...] = (), **variables: str
    ) -> None:
        answers, answering = os.pipe()
        self._answers = os.fdopen(answers)
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, program, *arguments],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([*map(str, path), *filter(None, sys.path)]),
                ANSWERING: str(answering),
                **variables,
            },
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            pass_fds=[answering],
            text=True,
        )
        os.close(answering)

    def do(self, job: Any) -> Done:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            print(json.dumps(job), file=self._process.stdin, flush=True)
        if answer := self._answers.readline():
            return Done(*json.loads(answer))
        code = self._process.wait()
        self._output.seek(0)
        return Done(code, "", self._output.read())

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate()
        self._answers.close()
        self._output.close()


def serve(do: Callable[[Any], object]) -> NoReturn:
    """Do the jobs that come on standard input, one after the other, and end the program."""
    answers = os.fdopen(int(os.environ[ANSWERING]), "w")
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            if not (child := os.fork()):
                answers.close()
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                _do_and_end(do, json.loads(line))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            for file in (out, err):
                file.seek(0)
            print(json.dumps([code, out.read(), err.read()]), file=answers, flush=True)
    os._exit(0)


def _do_and_end(do: Callable[[Any], object], job: Any) -> NoReturn:
    """Without waiting for threads that the job has left running."""
    signal.alarm(LIMIT)
    code = 0
    try:
        do(job)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
