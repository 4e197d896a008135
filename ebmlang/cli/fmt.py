"""`ebm fmt`: lay specs out in the one way, in place."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ebmlang.cli.console import print_diagnostics, print_json
from ebmlang.cli.options import Command
from ebmlang.source import EbmError, Report
from ebmlang.source.files import decode_source, read_bytes
from ebmlang.syntax import format_file, parse_file

STDIN = "-"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "specs", nargs="+", metavar="spec", help="files `NAME.ebm`, or `-` from stdin to stdout"
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if a file would change"
    )
    parser.add_argument("--diff", action="store_true", help="change nothing; print the changes")


def _run(arguments: Namespace) -> int:
    code = 0
    changed: list[str] = []
    for spec in arguments.specs:
        try:
            before = sys.stdin.buffer.read() if spec == STDIN else read_bytes(spec)
            after = _lay_out(before, "<stdin>" if spec == STDIN else spec)
        except EbmError as error:
            if arguments.json:
                raise
            print_diagnostics(error.diagnostics)
            code = max(code, error.exit_code)
            continue
        if after.encode() != before:
            changed.append(spec)
        if arguments.diff:
            print(_show_difference(before, after, spec), end="")
        elif spec == STDIN and not arguments.check:
            print(after, end="")
        elif spec in changed and not arguments.check:
            _write(Path(spec), after)
        if spec in changed and not (arguments.quiet or arguments.json or spec == STDIN):
            word = "would change" if arguments.check or arguments.diff else "changed"
            print(f"{word} {spec}", file=sys.stderr)
    if arguments.json:
        print_json({"status": "fine", "changed": changed})
    return max(code, 1) if arguments.check and changed else code


def _lay_out(data: bytes, name: str) -> str:
    report = Report()
    file = parse_file(decode_source(data, name), report)
    report.raise_if_errors()
    return format_file(file)


def _show_difference(before: bytes, after: str, spec: str) -> str:
    from difflib import unified_diff

    lines = before.decode("utf-8-sig").splitlines(keepends=True)
    return "".join(unified_diff(lines, after.splitlines(keepends=True), spec, spec))


def _write(path: Path, text: str) -> None:
    from ebmlang.runs.store import write_atomically

    def write(place: Path) -> None:
        place.write_text(text, encoding="utf-8", newline="\n")
        place.chmod(path.stat().st_mode)

    write_atomically(path, write)


COMMAND = Command(_add_arguments, _run)
