"""Options that several commands share, and what their values may be."""

import json
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ebmlang.source import Diagnostic, EbmError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
"""Units of time, in seconds."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: declares its arguments, and runs on them to an exit code."""

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


class _Parser(ArgumentParser):
    """A parser whose complaints have the form of all other messages."""

    def error(self, message: str) -> NoReturn:
        # argparse counts positional arguments that may be left out, too.
        message = message.removesuffix(", data")
        lead, _, words = message.partition("unrecognized arguments: ")
        if lead or not words:
            raise refuse("E0904", message[:1].lower() + message[1:], f"see `{self.prog} --help`")
        from difflib import get_close_matches

        option = words.split()[0].partition("=")[0]
        known = [text for action in self._actions for text in action.option_strings]
        close = get_close_matches(option, known, n=1)
        meant = f"did you mean `{close[0]}`?" if close else f"see `{self.prog} --help`"
        raise refuse("E0904", f"`{self.prog}` does not take `{option}`", meant)


def build_parser(name: str, summary: str) -> ArgumentParser:
    """Return a parser with the options that every command has."""
    parser = _Parser(
        prog=f"ebm {name}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print results only")
    parser.add_argument("--traceback", action="store_true", help="show where an error was raised")
    return parser


def add_spec(parser: ArgumentParser, *, data: bool = True, optional: bool = False) -> None:
    """Add the spec, what is set in it from outside, and where data comes from."""
    parser.add_argument("spec", nargs="?" if optional else None, help="the spec, a file `NAME.ebm`")
    parser.add_argument(
        "--const",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another value for a `const`",
    )
    parser.add_argument(
        "-W",
        "--no-warn",
        action="append",
        default=[],
        metavar="NAME",
        help="switch a warning off, by its name or code",
    )
    if data:
        parser.add_argument("data", nargs="*", help="data files: .json, .npz or .csv")
        parser.add_argument(
            "--data",
            dest="more_data",
            action="append",
            default=[],
            metavar="FILE",
            help="another data file",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a value for a `given`: a number, or `[1, 2]`",
        )


def add_weights(parser: ArgumentParser) -> None:
    """Add what else decides on the energy: other weights, and which estimates will do."""
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="PATH=W",
        help="another weight for a term or part",
    )
    parser.add_argument(
        "--accept-unreliable",
        action="store_true",
        help="use what `normalize` is estimated to add where the estimate cannot be relied on",
    )


def add_run(parser: ArgumentParser, precisions: Sequence[str] = ("float32", "float64")) -> None:
    """Add what all long runs take."""
    parser.add_argument("--seed", default="0", metavar="N", help="seed of all random numbers")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--precision",
        default="float64",
        choices=precisions,
        help="what is computed in; mixed moves chains in float32 and decides in float64"
        if "mixed" in precisions
        else "what is computed in",
    )
    parser.add_argument("--time", metavar="T", help="limit on the time, as in 30s, 5m or 2h")
    parser.add_argument("--out", metavar="FILE", help="write the whole result here")


def read_pairs(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Return the values of `NAME=VALUE` options by name; Any, as JSON has them.

    Raises:
        EbmError: E0903.

    >>> read_pairs(["k=2.5", "y=[1, 2]"], "--set")
    {'k': 2.5, 'y': [1, 2]}
    """
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise refuse(
                "E0903", f"`{option} {text}` is not of the form NAME=VALUE", f"as in `{option} k=2`"
            )
        pairs[name.strip()] = _read_value(value.strip(), f"`{option} {text}`")
    return pairs


def read_numbers(texts: Sequence[str], option: str) -> dict[str, int | float | bool]:
    """Return the numbers of `NAME=NUMBER` options by name.

    Raises:
        EbmError: E0903.
    """
    pairs = read_pairs(texts, option)
    for name, value in pairs.items():
        if not isinstance(value, int | float):
            raise refuse("E0903", f"`{option} {name}` takes a number", f"as in `{option} {name}=2`")
    return pairs


def read_whole(text: str, option: str) -> int:
    """Return the whole number of an option.

    Raises:
        EbmError: E0903.
    """
    try:
        return int(text)
    except ValueError:
        raise refuse("E0903", f"`{option} {text}` is not a whole number") from None


def read_counts(arguments: Namespace, *names: str, least: int = 1) -> dict[str, int]:
    """Return the values of options that say how many, by name.

    Raises:
        EbmError: E0903.
    """
    from ebmlang.api.counts import require_counts

    counts = {name: read_whole(vars(arguments)[name], f"--{name}") for name in names}
    require_counts(least=least, **counts)
    return counts


def read_time(text: str | None) -> float | None:
    """Return the limit on the time [s], None without one.

    Raises:
        EbmError: E0903.

    >>> read_time("1.5m"), read_time(None)
    (90.0, None)
    """
    if text is None:
        return None
    unit = UNITS.get(text[-1:])
    try:
        seconds = float(text[:-1]) * (unit or math.nan)
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds):
        raise refuse("E0903", f"`--time {text}` is not a time with its unit", "as in `--time 30s`")
    if not seconds > 0:
        raise refuse("E0903", f"`--time {text}` is no time at all", "as in `--time 30s`")
    return seconds


def read_out(text: str | None) -> Path | None:
    """Return where the result goes, sure that it can be written there.

    Raises:
        EbmError: E0804.
    """
    if text is None:
        return None
    from ebmlang.runs.store import require_writable

    require_writable(Path(text))
    return Path(text)


def refuse(code: str, headline: str, *helps: str) -> EbmError:
    """Return the error of a message that is about no place in a file."""
    return EbmError(Diagnostic(code=code, headline=headline, helps=helps))


def _read_value(text: str, shown: str) -> Any:
    try:
        return json.loads(text, parse_constant=float)
    except (ValueError, RecursionError):
        pass
    try:
        # Also `inf` and `nan`, which are then refused by the name of what they were meant for.
        return float(text)
    except ValueError:
        raise refuse(
            "E0903",
            f"the value of {shown} is neither a number nor an array",
            "as in `2.5`, `[1, 2]` or `true`",
        ) from None
