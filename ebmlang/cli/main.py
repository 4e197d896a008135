"""The entry of the command `ebm`: finds the command, runs it, and returns an exit code.

| code | meaning |
| --- | --- |
| 0 | fine |
| 1 | the spec is wrong |
| 2 | wrong usage: options, files, data |
| 3 | the run failed, found nothing feasible, or must not be trusted |
| 70 | a bug of ebmlang |
| 130 | interrupted; what was finished has been written |
| 141 | whoever read the output has gone |
"""

import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ebmlang import __version__
from ebmlang.cli.console import print_errors
from ebmlang.cli.options import Command, build_parser, refuse
from ebmlang.source import EbmError

FINE = 0
BUG = 70
INTERRUPTED = 130
READER_GONE = 141

COMMANDS = {
    "new": "write a commented starter file",
    "check": "report what is wrong with a spec",
    "fmt": "lay a spec out in the one way",
    "test": "look for points that refute what a spec says of itself",
    "solve": "search for points of low energy",
    "sample": "draw points from exp(-E)",
    "runs": "list runs, show one, compare two, write one in another format",
    "plot": "draw a run: energies, margins, geometry; marginals and chains",
    "profile": "measure the time and memory of each term",
    "explain": "say what is proved of a spec, what makes up a point or a run, what a code means",
    "graph": "print a spec on its way to code",
    "interface": "list what goes in and comes out",
}
"""Each command is a module of its own beside this one, under the same name."""


YOUNG = 50_000
"""Objects that are made between two looks for garbage among the latest. Imports make a million that
stay, and at the usual 700 looking at them again and again takes a tenth of a short run."""


def run_process() -> int:
    """Be the process `ebm`: run the command of its arguments, and return its exit code."""
    gc.set_threshold(YOUNG)
    code = main()
    # On its way out Python would look for garbage in all that torch has made; what anything is
    # released by goes on to be its last reference.
    gc.freeze()
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ebm` with arguments, those of the process if None, and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character shows its number; it is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except EbmError as error:
        if "--traceback" in arguments:
            raise
        print_errors(error, as_json="--json" in arguments)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python would complain again when it flushes on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except Exception as error:
        # The one place where anything is caught: a user must not see a traceback.
        if "--traceback" in arguments:
            raise
        if _is_out_of_memory(error):
            refusal = refuse(
                "E0711",
                "the run needs more memory than there is",
                "take fewer starts, chains or draws, or smaller arrays",
            )
            print_errors(refusal, as_json="--json" in arguments)
            return refusal.exit_code
        print(_describe_bug(error), file=sys.stderr)
        return BUG


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_show_help())
        return FINE
    if arguments[0] in ("-V", "--version"):
        print(f"ebm {__version__}")
        return FINE
    name, *rest = arguments
    if name not in COMMANDS:
        from difflib import get_close_matches

        close = get_close_matches(name, COMMANDS, n=1)
        meant = f"did you mean `ebm {close[0]}`?" if close else "`ebm --help` lists the commands"
        raise refuse("E0904", f"there is no command `{name}`", meant)
    command: Command = import_module(f"ebmlang.cli.{name}").COMMAND
    parser = build_parser(name, COMMANDS[name])
    command.add_arguments(parser)
    try:
        parsed = parser.parse_intermixed_args(rest)
    except SystemExit:
        # After `--help`, argparse means to end the process.
        return FINE
    return command.run(parsed)


def _show_help() -> str:
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        [
            "ebm: write energies, solve and sample them",
            "",
            "usage: ebm COMMAND FILE.ebm [DATA ...] [options]",
            "",
            *lines,
            "",
            "`ebm COMMAND --help` lists the options of a command.",
        ]
    )


def _is_out_of_memory(error: Exception) -> bool:
    """Whether an allocation has failed; torch has no exception of its own for it on a CPU."""
    if isinstance(error, MemoryError):
        return True
    words = ("CUDA out of memory", "DefaultCPUAllocator", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _describe_bug(error: Exception) -> str:
    text = str(error) or "no further words"
    return (
        f"internal error: {type(error).__name__}: {text}\n"
        "This is a bug of ebmlang and not of the spec; please report it, with the spec and the\n"
        "command. `--traceback` shows where it happened."
    )
