"""`ebm explain` on points and runs, and the questions what conflicts, mends it, or is idle."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ebmlang.cli.console import open_console, print_diagnostics, print_json
from ebmlang.cli.loading import load_with_data
from ebmlang.cli.options import read_pairs, refuse
from ebmlang.cli.share_table import (
    draw_conflict,
    draw_shares,
    draw_ways,
    show_count,
    show_estimate,
)
from ebmlang.cli.term_tree import write_term_tree
from ebmlang.source import RUN_FAILED, Diagnostic, Label, Span

if TYPE_CHECKING:
    from ebmlang.runs.conflict import Conflicting, Satisfiable
    from ebmlang.runs.explanation import Explanation

FINE = 0


def run_point(arguments: Namespace) -> int:
    """Explain a point, given by `--at` and `--set`, or the points of a run, given by `--run`."""
    if arguments.run:
        if arguments.at:
            raise refuse("E0904", "`--at` and `--run` are two questions", "ask one of them")
        return _run_run(arguments)
    from ebmlang.api.points import read_point

    point: dict[str, Any] = {}
    for file in arguments.at:
        point |= read_point(file, arguments.design or "1")
    settings = read_pairs(arguments.set, "--set")
    arguments.set = []
    model = load_with_data(arguments)
    variables = {item["path"] for item in model.interface()["variables"]}
    point |= {path: value for path, value in settings.items() if path in variables}
    model = model.bind({p: value for p, value in settings.items() if p not in variables})
    found = model.take_apart(point)
    if arguments.svg:
        return write_term_tree(arguments, model.name, found)
    design = model.explain(point)
    if arguments.json:
        described = found.describe()
        shared = {"outside": described["outside"], "explanation": described["terms"]}
        print_json(design.describe() | shared)
        return FINE
    from ebmlang.cli.tables import draw_point, show_number

    console = open_console()
    if not arguments.quiet:
        console.print(draw_point(design))
    console.print(draw_shares(found))
    console.print(f"energy {show_number(design.energy)}")
    _print_outside(found)
    return FINE


def _run_run(arguments: Namespace) -> int:
    model = load_with_data(arguments)
    found = model.take_run_apart(arguments.run)
    _warn_stale(found.stale)
    if arguments.svg:
        return write_term_tree(arguments, model.name, found)
    if arguments.json:
        print_json(found.describe())
        return FINE
    console = open_console()
    console.print(draw_shares(found))
    console.print(
        f"energy {show_estimate(found.energy)}; everything required holds in "
        f"{found.feasible:.1%} of {show_count(found)}"
    )
    _print_outside(found)
    return FINE


def _warn_stale(stale: bool | None) -> None:
    if stale:
        words = "the run was made with another spec, other data or other weights"
        print(f"note: {words}: its energies differ", file=sys.stderr)


def _print_outside(found: "Explanation") -> None:
    console = open_console()
    for one in found.outside:
        where = "" if found.kind == "point" else f" in {one.points} of {show_count(found)}, first"
        console.print(f"note: the point is outside of its domain{where}: {one.reason}")


# --- what cannot hold together -------------------------------------------------------


def run_conflict(arguments: Namespace) -> int:
    """Say which requirements cannot hold together; exit code 3 where some cannot."""
    from ebmlang.runs.conflict import Satisfiable

    found = load_with_data(arguments).find_conflict()
    if arguments.json:
        print_json(found.describe())
    elif isinstance(found, Satisfiable):
        _print_satisfiable(found, quiet=arguments.quiet)
    else:
        _print_conflict(found, quiet=arguments.quiet)
    return FINE if isinstance(found, Satisfiable) else RUN_FAILED


def _print_satisfiable(found: "Satisfiable", *, quiet: bool) -> None:
    from ebmlang.cli.tables import draw_point

    console = open_console()
    console.print("everything required can hold together, as at this point")
    if not quiet:
        console.print(draw_point(found.design))


def _print_conflict(found: "Conflicting", *, quiet: bool) -> None:
    from ebmlang.cli.tables import draw_point

    console = open_console()
    console.print(draw_conflict(found))
    if not quiet:
        console.print("the margins are those at the point that violates the conflict least:")
        console.print(draw_point(found.nearest))
    print_diagnostics([_report_conflict(found)])


def _report_conflict(found: "Conflicting") -> Diagnostic:
    places: dict[Span, list[str]] = {}
    for member in found.members:
        places.setdefault(member.span, []).append(f"`{member.path}`")
    labels = [
        Label(span, f"needed for the conflict: {', '.join(dict.fromkeys(paths))}")
        for span, paths in places.items()
    ]
    one = len(found.members) == 1
    what = "this requirement" if one else f"these {len(found.members)} requirements"
    together = "" if one else " together"
    holds = "holds" if one else "hold"
    headline = (
        f"{what} cannot hold{together}"
        if found.proved
        else f"no point was found where {what} {holds}{together}"
    )
    notes = [found.reason]
    if not one:
        notes.append("without any one of them, the others can hold")
    if found.bounds:
        named = ", ".join(f"`{path}`" for path in found.bounds)
        notes.append(f"the bounds of {named} are part of the conflict")
    return Diagnostic(
        code="E0706",
        headline=headline,
        primary=labels[0],
        secondary=tuple(labels[1:]),
        notes=tuple(notes),
        helps=("see what would mend it, with `--repair` in place of `--conflict`",),
    )


def run_repair(arguments: Namespace) -> int:
    """Say what would make everything required possible; exit code 3 where it is not yet."""
    from ebmlang.runs.conflict import Satisfiable

    found = load_with_data(arguments).find_repair()
    if arguments.json:
        print_json(found.describe())
    elif isinstance(found, Satisfiable):
        _print_satisfiable(found, quiet=arguments.quiet)
    else:
        console = open_console()
        for line in draw_ways(found):
            console.print(line)
    return FINE if isinstance(found, Satisfiable) else RUN_FAILED


# --- what never acts -----------------------------------------------------------------


def run_vacuous(arguments: Namespace) -> int:
    """Say which terms, and branches of terms, never act on the points of a run."""
    files: Sequence[str] = [arguments.run] if arguments.run else arguments.at
    if len(files) != 1:
        raise refuse(
            "E0904",
            "there is no run to look at" if not files else "there is more than one run to look at",
            "give one with `--run FILE`, such as the result of `ebm sample --out FILE`",
        )
    found = load_with_data(arguments).find_idle(files[0])
    _warn_stale(found.stale)
    if arguments.json:
        print_json(found.describe())
        return FINE
    console = open_console()
    for one in found.idle:
        name = f"`{one.path}`" if one.text == one.path else f"`{one.text}` of `{one.path}`"
        console.print(f"{one.span}: {name} {one.reason}", soft_wrap=True)
    if not found.idle:
        console.print(f"every term acts somewhere in {found.points:,} {found.kind}")
    return FINE


# --- what it takes -------------------------------------------------------------------


def run_cost(arguments: Namespace) -> int:
    """Say what an evaluation takes, counted on the graph; nothing runs."""
    from ebmlang.api.cost import describe_cost

    described = describe_cost(load_with_data(arguments))
    if arguments.json:
        print_json(described)
        return FINE
    from ebmlang.cli.cost_page import print_cost_page

    print_cost_page(open_console(), described)
    return FINE
