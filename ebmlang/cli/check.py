"""`ebm check`: report what is wrong with specs, and how they might be mended."""

from argparse import ArgumentParser, Namespace

from ebmlang.api.load import load
from ebmlang.cli.console import describe, keep_warnings, print_diagnostics, print_json
from ebmlang.cli.options import Command, read_numbers
from ebmlang.source import Diagnostic, EbmError


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="spec", help="the specs, files `NAME.ebm`")
    parser.add_argument(
        "--const", action="append", default=[], metavar="NAME=VALUE", help="another value"
    )
    parser.add_argument(
        "-W", "--no-warn", action="append", default=[], metavar="NAME", help="switch a warning off"
    )


def _run(arguments: Namespace) -> int:
    constants = read_numbers(arguments.const, "--const")
    found: list[Diagnostic] = []
    code = 0
    for spec in arguments.specs:
        try:
            model = load(spec, constants=constants)
        except EbmError as error:
            diagnostics, code = error.diagnostics, max(code, error.exit_code)
            summary = ""
        else:
            diagnostics = model.diagnostics
            described = model.interface()
            variables, terms = len(described["variables"]), len(described["terms"])
            summary = f"{spec} is fine: {_count(variables, 'variable')}, {_count(terms, 'term')}"
        shown = keep_warnings(diagnostics, arguments.no_warn)
        found.extend(shown)
        if not arguments.json:
            print_diagnostics(shown)
            if summary and not arguments.quiet:
                print(summary)
    if arguments.json:
        print_json({"status": "error" if code else "fine", "diagnostics": describe(found)})
    return code


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


COMMAND = Command(_add_arguments, _run)
