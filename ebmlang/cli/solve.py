"""`ebm solve`: search a spec for points of low energy."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ebmlang.api.model import Model
from ebmlang.api.rows import has_rows
from ebmlang.check.paths import find_terms
from ebmlang.cli.answers import (
    ONE_OPTIMUM,
    add_answers,
    draw_front,
    draw_sensitivity,
    read_terms,
    read_width,
    refuse_said,
    say_front,
    say_sensitivity,
)
from ebmlang.cli.console import open_console, print_diagnostics, print_json
from ebmlang.cli.loading import load_with_data, warn_before_run
from ebmlang.cli.options import (
    Command,
    add_run,
    add_spec,
    add_weights,
    read_counts,
    read_out,
    read_pairs,
    read_time,
    read_whole,
    refuse,
)
from ebmlang.cli.rows import solve_table
from ebmlang.source import RUN_FAILED, Diagnostic, Label

if TYPE_CHECKING:
    from ebmlang.runs import Designs
    from ebmlang.runs.conflict import Conflicting
    from ebmlang.runs.front import Front
    from ebmlang.runs.sensitivity import Sensitivity

FINE, INTERRUPTED = 0, 130

CONFLICT_SECONDS = 10.0
"""How long to look for the requirements to blame, where nothing feasible was found [s]."""

DEFAULTS = {"designs": "10", "starts": "128", "effort": "normal"}
"""What one problem takes where the user does not say."""

ROW_STARTS = 8
"""Starts of each row of a table where the user does not say."""


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser)
    add_weights(parser)
    add_run(parser)
    parser.add_argument("--designs", metavar="N", help="most designs to keep: 10")
    parser.add_argument(
        "--starts",
        metavar="N",
        help="searches in a round, as one batch: 128, or 8 for each row of a table",
    )
    parser.add_argument(
        "--effort",
        metavar="EFFORT",
        help="rounds of starts: quick, normal (the default) or thorough, until they agree",
    )
    parser.add_argument("--method", metavar="NAME", help="how to search; by the plan if left out")
    add_answers(parser)


def _list_defaults(arguments: Namespace) -> dict[str, str]:
    return {name: value for name, value in DEFAULTS.items() if vars(arguments)[name] is None}


def _run(arguments: Namespace) -> int:
    chosen = Namespace(**(vars(arguments) | _list_defaults(arguments)))
    counts = read_counts(chosen, "designs", "starts")
    seed = read_whole(arguments.seed, "--seed")
    seconds = read_time(arguments.time)
    out = read_out(arguments.out)
    band, slack = read_width(arguments.band, "--band"), read_width(arguments.slack, "--slack")
    terms = read_terms(arguments)
    model = load_with_data(arguments)
    # Only files are tables: a value that was typed with an axis too many is a slip.
    if has_rows(model, apart_from=read_pairs(arguments.set, "--set")):
        refuse_said(
            arguments, ("designs", "pareto", *ONE_OPTIMUM), "a table: each row has one design"
        )
        starts = ROW_STARTS if arguments.starts is None else counts["starts"]
        return solve_table(arguments, model, starts=starts, seed=seed, seconds=seconds)
    warn_before_run(arguments, model, "solve")
    if arguments.sensitivity and arguments.precision != "float64":
        raise refuse("E0904", "`--sensitivity` asks for designs found in float64")
    # Torch takes seconds to import: only once all that is cheap to find wrong has been checked.
    import torch

    from ebmlang.runtime import show_progress

    silent = arguments.quiet or arguments.json
    dtype = {"float32": torch.float32, "float64": torch.float64}[arguments.precision]
    if terms is not None:
        with show_progress(silent=silent) as progress:
            front = model.pareto(
                terms,
                designs=counts["designs"],
                starts=counts["starts"],
                seed=seed,
                seconds=seconds,
                dtype=dtype,
                device=arguments.device,
                progress=progress,
            )
        return _finish(front, arguments, model, out, front.describe())
    with show_progress(silent=silent) as progress:
        found = model.solve(
            designs=counts["designs"],
            starts=None if arguments.starts is None else counts["starts"],
            effort=chosen.effort,
            method=arguments.method,
            diverse=arguments.diverse,
            band=band,
            slack=slack,
            seed=seed,
            seconds=seconds,
            dtype=dtype,
            device=arguments.device,
            progress=progress,
        )
    described = found.describe()
    if arguments.sensitivity and found.designs:
        moved = model.sensitivity(found.designs[0].variables)
        described["sensitivity"] = moved.describe()
    else:
        moved = None
    return _finish(found, arguments, model, out, described, moved)


def _finish(
    found: "Designs | Front",
    arguments: Namespace,
    model: Model,
    out: Path | None,
    described: dict[str, Any],
    moved: "Sensitivity | None" = None,
) -> int:
    """Write and show what was found, and return the exit code. Any: as JSON has them."""
    from ebmlang.runs import Status
    from ebmlang.runs.design import Designs
    from ebmlang.runs.front import Front

    conflict = None
    if found.status is Status.INFEASIBLE:
        from ebmlang.api.infeasible import blame_requirements

        seconds = read_time(arguments.time)
        longest = min(CONFLICT_SECONDS, CONFLICT_SECONDS if seconds is None else seconds)
        conflict = blame_requirements(model, seed=found.seed, seconds=longest)
        described |= {} if conflict is None else {"conflict": conflict.describe()}
    if out is not None:
        _write(out, described)
    if arguments.json:
        print_json(described)
    elif isinstance(found, Front) and found.designs:
        console = open_console()
        console.print(draw_front(found))
        if not arguments.quiet:
            console.print(say_front(found))
    elif isinstance(found, Designs) and found.designs:
        from ebmlang.cli.tables import draw_designs, draw_terms

        console = open_console()
        console.print(draw_designs(found))
        if not arguments.quiet:
            console.print(draw_terms(found.designs[0]))
            console.print(f"{found.reason}; the terms are those of design 1")
            if found.certainty is not None:
                console.print(found.certainty.words)
        if moved is not None:
            console.print(draw_sensitivity(moved))
            console.print(say_sensitivity(moved))
    elif found.nearest is not None:
        from ebmlang.cli.tables import draw_point, draw_terms

        console = open_console()
        console.print(draw_point(found.nearest))
        console.print(draw_terms(found.nearest))
    if not found.designs and not arguments.json:
        violated = found.nearest.margins if found.nearest is not None else {}
        print_diagnostics([_report_infeasible(model, violated, found.starts, conflict)])
    if found.status is Status.INTERRUPTED:
        return INTERRUPTED
    return FINE if found.designs else RUN_FAILED


def _write(out: Path, described: dict[str, object]) -> None:
    from ebmlang.runs.plain import show_json
    from ebmlang.runs.store import write_atomically

    write_atomically(out, lambda path: _write_text(path, show_json(described)))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")


def _report_infeasible(
    model: Model, margins: Mapping[str, float], starts: int, conflict: "Conflicting | None"
) -> Diagnostic:
    required = {p: t for p, t in find_terms(model.program).items() if t.role.value == "require"}
    short = sorted((margins[path], path) for path in required if margins.get(path, 0) < 0)
    labels = [
        Label(required[path].span, f"`{path}` fails by {-margin:.3g}") for margin, path in short
    ]
    notes = [f"the nearest of {starts} starts is shown; that is no proof that there is none"]
    helps = [
        f"search from more starts, with `--starts {4 * starts}`",
        "see which cannot hold together, with `ebm explain --conflict`",
    ]
    if conflict is not None:
        named = " and ".join(
            f"`{path}`" for path in dict.fromkeys(m.path for m in conflict.members)
        )
        words = "; ".join(member.text for member in conflict.members)
        notes = [f"the smallest conflict is in {named}: {words}", conflict.reason]
        if conflict.bounds:
            listed = ", ".join(f"`{path}`" for path in conflict.bounds)
            notes.append(f"the bounds of {listed} are part of it")
        helps = ["see what would mend it, with `ebm explain --repair`"]
        if not conflict.proved:
            helps.append(f"search from more starts, with `--starts {4 * starts}`")
    return Diagnostic(
        code="E0706",
        headline="no point was found where every `require` holds",
        primary=labels[0] if labels else None,
        secondary=tuple(labels[1:]),
        notes=tuple(notes),
        helps=tuple(helps),
    )


COMMAND = Command(_add_arguments, _run)
