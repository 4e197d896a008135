"""`ebm new`: write a commented file to start from."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ebmlang.cli.console import print_json
from ebmlang.cli.options import Command, refuse

SUFFIX = ".ebm"

STARTER = """\
## What this spec is about, in a sentence.

# A compile-time value: `--const width=80` stands in for it.
const width = 120

# A run-time input with a default: `--set clearance=20`, or a data file.
given clearance: real = 30

# What is to be found, each unknown with its domain.
var lamp: real[2] in [[0, 0], [width, 60]]
var cup: real[2] in [[0, 0], [width, 60]]

# A function; it is checked anew for the shapes it is used with.
fn distance(a: real[2], b: real[2]) = norm(a - b)

# What must hold: only points where it does are solutions.
require apart: distance(lamp, cup) >= clearance

# What is wished for: `within` says by how much it may fail at a cost of 1/2.
prefer side: distance(lamp, [0, 30]) <= 10 within 2 or distance(lamp, [width, 30]) <= 10 within 2
prefer calm: not distance(cup, [60, 30]) <= 10 within 2 weight 0.5

# What is to be small.
minimize reach: distance(cup, [60, 0]) / 100

# What is printed with every result.
report gap = distance(lamp, cup)
"""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="the file to write, `NAME.ebm`")


def _run(arguments: Namespace) -> int:
    path = Path(arguments.name)
    if path.suffix != SUFFIX:
        path = path.with_name(path.name + SUFFIX)
    if path.exists():
        raise refuse("E0804", f"`{path}` is there already", "give another name")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(STARTER)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise refuse("E0804", f"`{path}` cannot be written: {reason}") from None
    if arguments.json:
        print_json({"status": "fine", "path": str(path)})
    elif not arguments.quiet:
        print(f"wrote {path}; try `ebm solve {path}`")
    return 0


COMMAND = Command(_add_arguments, _run)
