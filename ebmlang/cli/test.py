"""`ebm test`: look for points that refute the properties of specs, and look at their examples."""

import os
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ebmlang.api.load import load
from ebmlang.cli.console import describe, print_diagnostics, print_json
from ebmlang.cli.options import (
    Command,
    read_counts,
    read_numbers,
    read_pairs,
    read_whole,
    refuse,
)
from ebmlang.source import EbmError, Report

if TYPE_CHECKING:
    from ebmlang.testing.outcome import Outcome

FINE, FAILED = 0, 1

PASSED, REFUTED, UNTESTED = "passed", "FAILED", "ERROR "


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="file", help="specs, files `NAME.ebm`, and data files for them"
    )
    parser.add_argument(
        "--const", action="append", default=[], metavar="NAME=VALUE", help="another value"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value for a `given`: a number, or `[1, 2]`",
    )
    parser.add_argument(
        "--examples", default="100", metavar="N", help="points that each property is looked at"
    )
    parser.add_argument("--seed", default="0", metavar="N", help="seed of these points")


@dataclass(slots=True)
class _Tally:
    """What has come of all tests; lives inside one command.

    Attributes:
        outcomes: What was tested, with its file.
        errors: Why the rest was not.
        code: What the command ends with.
        untested: How many tests and files could not be tested.
        shown: Words of which lines are printed.
    """

    shown: tuple[str, ...]
    outcomes: list[tuple[str, "Outcome"]] = field(default_factory=list)
    errors: Report = field(default_factory=Report)
    untested: int = 0
    code: int = FINE

    def take(self, spec: str, outcome: "Outcome") -> None:
        """Count a test that was made."""
        self.outcomes.append((spec, outcome))
        self.code = max(self.code, FINE if outcome.passed else FAILED)
        self._say(PASSED if outcome.passed else REFUTED, f"{spec}::{outcome.name}")

    def miss(self, error: EbmError, label: str = "") -> None:
        """Count a test, or a file, that could not be tested."""
        self.code = max(self.code, error.exit_code)
        self.untested += 1
        for diagnostic in error.diagnostics:
            self.errors.add(diagnostic)
        if label:
            self._say(UNTESTED, label)

    def _say(self, word: str, label: str) -> None:
        if word in self.shown:
            print(f"{word}  {label}", flush=True)

    def conclude(self) -> None:
        """Draw what is wrong, and print how many tests ended how."""
        failed = [outcome for _, outcome in self.outcomes if not outcome.passed]
        for outcome in failed:
            print_diagnostics(outcome.failures)
        print_diagnostics(self.errors.diagnostics)
        counts = {
            "failed": len(failed),
            "passed": len(self.outcomes) - len(failed),
            "not tested": self.untested,
        }
        listed = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        if PASSED in self.shown:
            print(listed or "there are no properties and no examples")

    def describe(self) -> dict[str, Any]:
        """Return all as plain data for JSON, so Any."""
        status = {FINE: "passed", FAILED: "failed"}
        return {
            "status": "error" if self.untested else status[self.code],
            "results": [{"file": spec, **outcome.describe()} for spec, outcome in self.outcomes],
            "diagnostics": describe(self.errors.diagnostics),
        }


def _run(arguments: Namespace) -> int:
    specs = [file for file in arguments.files if Path(file).suffix == ".ebm"]
    if not specs:
        raise refuse("E0904", "there is no spec to test", "a spec is a file `NAME.ebm`")
    points = read_counts(arguments, "examples")["examples"]
    seed = read_whole(arguments.seed, "--seed")
    constants = read_numbers(arguments.const, "--const")
    values = read_pairs(arguments.set, "--set")
    data = [*(file for file in arguments.files if file not in specs), values]
    from ebmlang.syntax.grammar import cache_folder
    from ebmlang.testing.suite import run_test

    # Else hypothesis keeps what it learns in the folder that the command is called in.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder() / "hypothesis"))
    shown = (REFUTED, UNTESTED) if arguments.quiet else (PASSED, REFUTED, UNTESTED)
    tally = _Tally(shown=() if arguments.json else shown)
    for spec in specs:
        try:
            model = load(spec, constants=constants).bind(data)
        except EbmError as error:
            tally.miss(error)
            continue
        for claim in model.program.claims:
            try:
                tally.take(spec, run_test(model, claim, points=points, seed=seed))
            except EbmError as error:
                tally.miss(error, f"{spec}::{claim.name}")
    if arguments.json:
        print_json(tally.describe())
    else:
        tally.conclude()
    return tally.code


COMMAND = Command(_add_arguments, _run)
