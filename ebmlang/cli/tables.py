"""Results as tables for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs import Design, Designs, Samples

if TYPE_CHECKING:
    from rich.table import Table

WIDEST_VALUE = 6
"""Numbers of an array that are shown in a cell; of a longer one, the first few."""

MOST_ROWS = 60
"""Scalar quantities of which a table shows a line."""


def draw_designs(found: Designs) -> "Table":
    """Return the table of designs: a row for each, a column for each variable and report.

    Curves are left out: they are what `ebm plot` draws.
    """
    # Whatever has no designs to show does without pictures.
    from ebmlang.plot.shapes import is_path

    first = found.designs[0]
    columns = [name for name in [*first.variables, *first.reports] if not is_path(name)]
    table = open_table(["design", "energy", *columns, "starts"], left=columns)
    for number, design in enumerate(found.designs, start=1):
        values = [{**design.variables, **design.reports}[name] for name in columns]
        share = "" if design.share is None else f"{design.share * found.starts:.0f}"
        unfinished = "" if design.converged is not False else " …"
        table.add_row(
            str(number), show_number(design.energy) + unfinished, *map(show_value, values), share
        )
    return table


def draw_terms(design: Design) -> "Table":
    """Return the table of terms at one point: energy, margin, and whether it holds."""
    table = open_table(["term", "energy", "margin", "holds"], left=["term", "holds"])
    for path in dict.fromkeys([*design.margins, *design.terms]):
        holds = design.satisfied.get(path)
        table.add_row(
            path,
            show_number(design.terms[path]) if path in design.terms else "",
            show_number(design.margins[path]) if path in design.margins else "",
            "" if holds is None else ("yes" if holds else "no"),
        )
    return table


def draw_point(design: Design) -> "Table":
    """Return the table of a point's variables and reports."""
    table = open_table(["variable", "value"], left=["variable", "value"])
    for path, value in {**design.variables, **design.reports}.items():
        table.add_row(path, show_value(value))
    return table


def draw_summary(samples: Samples) -> "Table":
    """Return the table of the scalar quantities of a sampling run."""
    titles = ["quantity", "mean", "sd", "mcse", "mcse sd", "ess bulk", "ess tail", "r-hat"]
    table = open_table(titles, left=["quantity"])
    for row in samples.summary[:MOST_ROWS]:
        table.add_row(
            row.name,
            *map(show_number, (row.mean, row.sd, row.mcse, row.mcse_sd)),
            f"{row.ess_bulk:.0f}",
            f"{row.ess_tail:.0f}",
            f"{row.agreement:.3f}",
        )
    if len(samples.summary) > MOST_ROWS:
        table.add_row(f"… {len(samples.summary) - MOST_ROWS} more")
    return table


def show_number(value: float) -> str:
    """Return a number with five significant digits.

    >>> show_number(30.000001), show_number(-1e-20)
    ('30', '-1e-20')
    """
    return f"{value + 0.0:.5g}"


def show_value(value: NDArray[np.generic]) -> str:
    """Return an array in one line; of a long one, its beginning.

    >>> show_value(np.array([[1.0, 2.0], [3.0, 4.5]]))
    '[[1, 2], [3, 4.5]]'
    """
    if value.size <= WIDEST_VALUE:
        return _show_nested(value.tolist())
    first = ", ".join(map(_show_nested, value.ravel()[: WIDEST_VALUE // 2].tolist()))
    return f"[{first}, … {value.size} numbers]"


def _show_nested(value: object) -> str:
    match value:
        case list():
            return f"[{', '.join(map(_show_nested, value))}]"
        case float():
            return show_number(value)
        case _:
            return str(value)


def open_table(titles: Sequence[str], *, left: Sequence[str]) -> "Table":
    """Return an empty table; the columns named in `left` hold words, the others numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title, justify="left" if title in left else "right", overflow="fold")
    return table
