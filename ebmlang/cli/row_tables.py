"""Answers by row as tables for people: how the rows ended, and the range of what was found."""

from typing import TYPE_CHECKING

import numpy as np

from ebmlang.cli.tables import MOST_ROWS, open_table, show_number
from ebmlang.runs.answers import Answers, RowStatus

if TYPE_CHECKING:
    from rich.table import Table


def draw_outcomes(answers: Answers) -> "Table":
    """Return the table of how many rows ended in which way, and the first of each."""
    table = open_table(["rows", "outcome", "first"], left=["outcome"])
    for outcome in RowStatus:
        rows = answers.find(outcome)
        if len(rows):
            table.add_row(str(len(rows)), outcome.word, f"row {rows[0]}")
    return table


def draw_answers(answers: Answers) -> "Table":
    """Return the table of the range of each column over the rows that have a design."""
    table = open_table(["quantity", "least", "median", "most"], left=["quantity"])
    drawn = 0
    for name, values in answers.columns():
        if name in ("row", "status", "feasible", "converged"):
            continue
        if drawn == MOST_ROWS:
            table.add_row("…")
            break
        known = np.asarray(values[answers.feasible], dtype=np.float64)
        table.add_row(name, *map(show_number, np.quantile(known, [0, 0.5, 1])))
        drawn += 1
    return table
