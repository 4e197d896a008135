"""Running the command inside the test, and in a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ebmlang.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DESK = str(EXAMPLES / "desk.ebm")


@dataclass
class Outcome:
    """What a command has left: its exit code and what it printed."""

    code: int
    out: str
    err: str


def ebm(capsys, *arguments: object) -> Outcome:
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return Outcome(code, printed.out, printed.err)


def start(*arguments: object, **options) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ebmlang", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )
