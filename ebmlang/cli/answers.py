"""Options of `ebm solve` on which answers are wanted: different ones, fronts, what they hang on."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ebmlang.cli.options import refuse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.table import Table

    from ebmlang.runs.front import Front
    from ebmlang.runs.sensitivity import Sensitivity


ONE_OPTIMUM = ("effort", "method", "diverse", "band", "slack", "sensitivity")
"""Options that speak of a search for one optimum."""


def add_answers(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--diverse", action="store_true", help="keep designs far from each other, not the best"
    )
    parser.add_argument(
        "--band", metavar="NATS", help="how much worse than the best they may be (0.5)"
    )
    parser.add_argument(
        "--slack", metavar="NATS", help="what a tier of a priority may cost those before (0.001)"
    )
    parser.add_argument(
        "--pareto", metavar="TERM,TERM", help="the front of two or three terms, not one optimum"
    )
    parser.add_argument(
        "--sensitivity", action="store_true", help="how the lowest energy moves with each input"
    )


def refuse_said(arguments: Namespace, options: Iterable[str], what: str) -> None:
    """Refuse options that would have no effect on what is asked for.

    Raises:
        EbmError: E0904 for the first of them that was said.
    """
    for option in options:
        if vars(arguments)[option] not in (None, False):
            raise refuse("E0904", f"`--{option}` has no meaning for {what}")


def read_width(text: str | None, option: str) -> float | None:
    """Return a width of energies; None where it is not said.

    Raises:
        EbmError: E0903.
    """
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise refuse(
            "E0903", f"`{option} {text}` is not a number", f"as in `{option} 0.1`"
        ) from None


def read_terms(arguments: Namespace) -> tuple[str, ...] | None:
    """Return the terms whose front is wanted; None without one.

    Raises:
        EbmError: E0904 where another option speaks of one optimum.
    """
    if arguments.pareto is None:
        return None
    refuse_said(arguments, ONE_OPTIMUM, "a front")
    return tuple(term.strip() for term in arguments.pareto.split(","))


def draw_front(front: "Front") -> "Table":
    """Return the table of a front: a row for each design, the terms that are traded first."""
    from ebmlang.cli.tables import open_table, show_number, show_value

    first = front.designs[0]
    columns = [*first.variables, *first.reports]
    table = open_table(["design", *front.terms, *columns], left=columns)
    for number, (values, design) in enumerate(zip(front.values, front.designs, strict=True), 1):
        cells = [*design.variables.values(), *design.reports.values()]
        unfinished = "" if design.converged is not False else " …"
        table.add_row(f"{number}{unfinished}", *map(show_number, values), *map(show_value, cells))
    return table


def say_front(front: "Front") -> str:
    """Return what a front is between, in words."""
    from ebmlang.cli.tables import show_number

    spans = (
        f"`{term}` from {show_number(low)} to {show_number(high)}"
        for term, low, high in zip(front.terms, front.ideal, front.worst, strict=True)
    )
    said = f"{front.reason}; the front trades {', '.join(spans)}"
    if front.untraded:
        listed = ", ".join(f"`{path}`" for path in front.untraded)
        said += f"; {listed} only decide among equal designs"
    return said


def draw_sensitivity(found: "Sensitivity") -> "Table":
    """Return the table of what the lowest energy hangs on; what it does not is left out."""
    from ebmlang.cli.tables import open_table, show_number, show_value

    table = open_table(["by", "of", "the lowest energy moves by"], left=["by", "of"])
    rows: list[tuple[str, str, str]] = []
    arrays: tuple[tuple[str, Mapping[str, NDArray[np.float64]]], ...] = (
        ("input", found.givens),
        ("lower bound", found.lower),
        ("upper bound", found.upper),
    )
    for kind, values in arrays:
        rows += [(kind, path, show_value(value)) for path, value in values.items() if value.any()]
    rows += [("weight", path, show_number(value)) for path, value in found.weights.items()]
    rows += [
        ("requirement", path, show_number(value))
        for path, value in found.requirements.items()
        if value
    ]
    for row in rows:
        table.add_row(*row)
    return table


def say_sensitivity(found: "Sensitivity") -> str:
    """Return how far the derivatives can be relied on, in words."""
    said = "per unit of an input, a bound or a weight, per tolerance of a requirement, at design 1"
    if found.reliable:
        return said
    return f"{said}; not to be relied on: it is not at rest, or held in more than one way"
