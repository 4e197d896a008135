"""`ebm check`: report what is wrong with specs, and what can be proved of them."""

import gc
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ebmlang.analysis import Answer
from ebmlang.api.data_files import SUFFIXES
from ebmlang.api.load import load
from ebmlang.api.model import Model
from ebmlang.cli.console import describe, keep_warnings, print_diagnostics, print_json
from ebmlang.cli.options import Command, add_weights, read_numbers, read_pairs, refuse
from ebmlang.source import Diagnostic, EbmError, Severity

if TYPE_CHECKING:
    from ebmlang.analysis import Propriety, Verdict


OBJECTS_BETWEEN_COLLECTIONS = 200_000
"""How many more objects there are when Python looks for garbage again; 700 by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What is said of one spec.

    Attributes:
        spec: Its file.
        diagnostics: All messages.
        code: What the command would end with if it were alone.
        model: None where it cannot be read.
        propriety: None where data is missing, or the spec is wrong.
    """

    spec: str
    diagnostics: tuple[Diagnostic, ...]
    code: int = 0
    model: Model | None = None
    propriety: "Propriety | None" = None


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="file",
        help="the specs, files `NAME.ebm`, and data files: .json, .npz or .csv",
    )
    parser.add_argument(
        "--data", action="append", default=[], metavar="FILE", help="another data file"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a value for a `given`"
    )
    add_weights(parser)
    parser.add_argument(
        "--const", action="append", default=[], metavar="NAME=VALUE", help="another value"
    )
    parser.add_argument(
        "--pedantic",
        action="store_true",
        help="also advise on tolerances and scales, and warn of what is not proved",
    )
    parser.add_argument(
        "-W", "--no-warn", action="append", default=[], metavar="NAME", help="switch a warning off"
    )


def _run(arguments: Namespace) -> int:
    data = [file for file in arguments.files if Path(file).suffix.lower() in SUFFIXES]
    specs = [file for file in arguments.files if file not in data]
    if not specs:
        listed = " ".join(data)
        raise refuse("E0904", "there is no spec to check", f"`ebm check NAME.ebm {listed}`")
    constants = read_numbers(arguments.const, "--const")
    weights = read_numbers(arguments.weight, "--weight")
    sources = [*data, *arguments.data, read_pairs(arguments.set, "--set")]
    outcomes = []
    for spec in specs:
        with _few_collections():
            outcome = _check(spec, constants, sources, weights, pedantic=arguments.pedantic)
        shown = keep_warnings(outcome.diagnostics, arguments.no_warn)
        outcomes.append((outcome, shown))
        if not arguments.json:
            print_diagnostics(shown)
            if outcome.code == 0 and not arguments.quiet:
                print(_summary(outcome))
    code = max(outcome.code for outcome, _ in outcomes)
    if arguments.json:
        print_json(
            {
                "status": "error" if code else "fine",
                "diagnostics": describe(d for _, shown in outcomes for d in shown),
                "specs": [_describe(outcome) for outcome, _ in outcomes],
            }
        )
    return code


@contextmanager
def _few_collections() -> Iterator[None]:
    """Let Python look for garbage seldom: trees and graphs stay, and the search costs a tenth."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _check(
    spec: str,
    constants: dict[str, int | float | bool],
    sources: list[object],
    weights: dict[str, int | float | bool],
    *,
    pedantic: bool,
) -> _Outcome:
    from ebmlang.api.check import check_model

    try:
        model = load(spec, constants=constants)
    except EbmError as error:
        return _Outcome(spec=spec, diagnostics=error.diagnostics, code=error.exit_code)
    try:
        model = model.bind(sources, weights)  # type: ignore[arg-type]
        found = check_model(model, pedantic=pedantic)
        facts = model.analyze()
    except EbmError as error:
        found = (*model.diagnostics, *error.diagnostics)
        return _Outcome(spec=spec, diagnostics=found, code=error.exit_code, model=model)
    wrong = [diagnostic for diagnostic in found if diagnostic.severity is Severity.ERROR]
    return _Outcome(
        spec=spec,
        diagnostics=found,
        code=EbmError(*wrong).exit_code if wrong else 0,
        model=model,
        propriety=None if facts is None else facts.propriety,
    )


SHOWN = 3
"""Most terms to blame that a summary names."""


# --- what is said at the end ---------------------------------------------------------


def _summary(outcome: _Outcome) -> str:
    """Return the line on a spec without errors."""
    assert outcome.model is not None
    described = outcome.model.interface()
    variables, terms = len(described["variables"]), len(described["terms"])
    counts = f"{_count(variables, 'variable')}, {_count(terms, 'term')}"
    return f"{outcome.spec} is fine: {counts}; {_show_propriety(outcome)}"


def _show_propriety(outcome: _Outcome) -> str:
    if outcome.propriety is None:
        assert outcome.model is not None
        names = ", ".join(f"`{path}`" for path in _find_missing(outcome.model))
        return f"propriety: needs the data of {names}"
    by_answer: dict[str, list[str]] = {}
    for verdict in _verdicts(outcome.propriety):
        improper = verdict.answer is Answer.IMPROPER
        text = verdict.question.denial if improper else verdict.question.value
        if verdict.terms:
            named = [f"`{path}`" for path in verdict.terms[:SHOWN]]
            more = len(verdict.terms) - len(named)
            text += f" (because of {', '.join(named)}{f' and {more} more' if more else ''})"
        by_answer.setdefault(verdict.answer.value, []).append(text)
    return "; ".join(f"{answer}: {', '.join(texts)}" for answer, texts in by_answer.items())


def _verdicts(propriety: "Propriety") -> tuple["Verdict", ...]:
    return propriety.bounded_below, propriety.has_minimizer, propriety.integrable


def _find_missing(model: Model) -> list[str]:
    """Return what the data has yet to bring."""
    inputs = model.interface()["inputs"]
    return [i["path"] for i in inputs if i["required"] and i["path"] not in model.data]


def _describe(outcome: _Outcome) -> dict[str, object]:
    """Return an outcome as plain data."""
    described: dict[str, object] = {
        "file": outcome.spec,
        "status": "error" if outcome.code else "fine",
    }
    if outcome.model is not None:
        interface = outcome.model.interface()
        described["variables"] = len(interface["variables"])
        described["terms"] = len(interface["terms"])
        described["missing"] = _find_missing(outcome.model)
    if outcome.propriety is not None:
        described["propriety"] = {
            verdict.question.name.lower(): _describe_verdict(verdict)
            for verdict in _verdicts(outcome.propriety)
        }
    return described


def _describe_verdict(verdict: "Verdict") -> dict[str, object]:
    return {
        "answer": verdict.answer.value,
        "because": [reason.text for reason in verdict.because],
        "variables": list(verdict.variables),
        "terms": list(verdict.terms),
        "helps": list(verdict.helps),
    }


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


COMMAND = Command(_add_arguments, _run)
