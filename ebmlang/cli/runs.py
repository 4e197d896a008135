"""`ebm runs`: list the runs in a folder, show one, compare two, write one in another format."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ebmlang.cli.console import open_console, print_diagnostics, print_json
from ebmlang.cli.options import Command, refuse
from ebmlang.source import Diagnostic

if TYPE_CHECKING:
    from ebmlang.runs.overview import ComparedQuantity, Overview

Row = dict[str, Any]
"""What is said of a quantity, by name. Any: numbers, its name, and None for no number."""

SURPRISING = 4.0
"""Difference of two means, in its errors, that does not happen by chance in a few thousand."""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="a folder, `show RUN`, `compare RUN RUN` or `export RUN FILE`; this folder if none",
    )


def _run(arguments: Namespace) -> int:
    verb, *rest = arguments.words or ["."]
    if verb not in _VERBS:
        if rest:
            raise refuse(
                "E0904",
                f"`ebm runs` does not know `{verb}`",
                "it takes a folder, `show RUN`, `compare RUN RUN` or `export RUN FILE`",
            )
        return _list(Path(verb), as_json=arguments.json)
    count, run = _VERBS[verb]
    if len(rest) != count:
        raise refuse(
            "E0904",
            f"`ebm runs {verb}` takes {count} {'name' if count == 1 else 'names'}, "
            f"and there are {len(rest)}",
            "as in `ebm runs show desk.run` or `ebm runs compare desk.run other.run`",
        )
    return run([Path(word) for word in rest], arguments.json)


def _list(folder: Path, *, as_json: bool) -> int:
    from ebmlang.runs.overview import list_runs

    if not folder.is_dir():
        raise refuse("E0801", f"there is no folder `{folder}`")
    found = list_runs(folder)
    if as_json:
        print_json({"runs": [overview.describe() for overview in found]})
    elif found:
        _print_overviews(list(found))
    else:
        print(f"there are no runs in `{folder}`")
    return 0


def _show(paths: list[Path], as_json: bool) -> int:
    from ebmlang.runs.directory import open_run
    from ebmlang.runs.overview import look_at

    run = open_run(paths[0])
    overview, verdict = look_at(run), run.read_verdict()
    described = {**overview.describe(), "versions": run.manifest.versions}
    rows: list[Row]
    if verdict is None:
        from ebmlang.api.runs import read_progress

        progress = read_progress(paths[0])
        rows = [{"name": name, "mean": mean, "sd": sd} for name, (mean, sd) in progress.items()]
        described |= {"summary": rows}
    else:
        rows = verdict["summary"]
        described |= verdict
    if as_json:
        print_json(described)
        return 0
    _print_overviews([overview])
    _print_quantities(rows)
    if verdict is not None and verdict["reasons"]:
        helps = tuple(verdict["advice"])
        headline = "the draws are not to be trusted"
        notes = tuple(verdict["reasons"])
        print_diagnostics([Diagnostic(code="E0709", headline=headline, notes=notes, helps=helps)])
    return 0


def _compare(paths: list[Path], as_json: bool) -> int:
    from ebmlang.runs.directory import open_run
    from ebmlang.runs.overview import compare_runs

    comparison = compare_runs(open_run(paths[0]), open_run(paths[1]))
    if as_json:
        print_json(comparison.describe())
        return 0
    from ebmlang.cli.tables import open_table

    if comparison.differences:
        table = open_table(["differs", *map(str, paths)], left=["differs", *map(str, paths)])
        for name, pair in comparison.differences.items():
            table.add_row(name, *pair)
        open_console().print(table)
    _print_compared(list(comparison.quantities))
    return 0


def _export(paths: list[Path], as_json: bool) -> int:
    from ebmlang.runs.samples import require_format
    from ebmlang.runs.store import require_writable, write_atomically

    run, out = paths
    require_format(out)
    require_writable(out)
    from ebmlang.api.runs import read_samples

    samples = read_samples(run)
    write_atomically(out, samples.write)
    if as_json:
        print_json({"written": str(out), "draws": samples.energies.shape[1]})
    return 0


_VERBS: dict[str, tuple[int, Callable[[list[Path], bool], int]]] = {
    "show": (1, _show),
    "compare": (2, _compare),
    "export": (2, _export),
}
"""What can be done with runs: how many names it takes, and what does it."""


def _print_overviews(found: "list[Overview]") -> None:
    from ebmlang.cli.tables import open_table

    titles = ["run", "spec", "status", "draws", "chains", "warm-up", "method", "seed"]
    table = open_table(titles, left=["run", "spec", "status", "method"])
    for overview in found:
        settings = overview.settings
        table.add_row(
            overview.path.name,
            overview.spec,
            overview.status,
            f"{overview.draws} of {settings.draws}",
            *map(str, (settings.chains, settings.warmup, settings.method, settings.seed)),
        )
    open_console().print(table)


def _print_quantities(rows: list[Row]) -> None:
    from ebmlang.cli.tables import MOST_ROWS, open_table, show_number

    names = {
        "mean": "mean",
        "sd": "sd",
        "mcse": "mcse",
        "ess_bulk": "ess bulk",
        "ess_tail": "ess tail",
        "rhat": "r-hat",
    }
    table = open_table(["quantity", *names.values()], left=["quantity"])
    for row in rows[:MOST_ROWS]:
        values = [row.get(name) for name in names]
        shown = [show_number(float(value)) if value is not None else "" for value in values]
        table.add_row(str(row["name"]), *shown)
    if len(rows) > MOST_ROWS:
        table.add_row(f"… {len(rows) - MOST_ROWS} more")
    open_console().print(table)


def _print_compared(quantities: "list[ComparedQuantity]") -> None:
    from ebmlang.cli.tables import MOST_ROWS, open_table, show_number

    titles = ["quantity", "mean", "mcse", "mean", "mcse", "z", "log ESS/s ratio"]
    table = open_table(titles, left=["quantity"])
    # Those first that differ most: where there are many rows, these are the ones to be seen.
    ordered = sorted(quantities, key=lambda one: -abs(one.z) if one.z == one.z else 0.0)
    for one in ordered[:MOST_ROWS]:
        numbers = (one.means[0], one.errors[0], one.means[1], one.errors[1], one.z, one.efficiency)
        table.add_row(one.name, *map(show_number, numbers))
    if len(ordered) > MOST_ROWS:
        table.add_row(f"… {len(ordered) - MOST_ROWS} more")
    console = open_console()
    console.print(table)
    far = [one.name for one in ordered if abs(one.z) > SURPRISING]
    if far:
        console.print(f"the runs differ by more than {SURPRISING:g} errors in {', '.join(far)}")


COMMAND = Command(_add_arguments, _run)
