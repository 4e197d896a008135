"""`ebm solve` with a table: the best design for each row of data."""

from argparse import Namespace
from pathlib import Path

from ebmlang.api.model import Model
from ebmlang.api.rows import bind_rows
from ebmlang.cli.console import open_console, print_diagnostics, print_json
from ebmlang.cli.loading import warn_before_run
from ebmlang.source import RUN_FAILED, Diagnostic

FINE, INTERRUPTED = 0, 130


def solve_table(
    arguments: Namespace, model: Model, *, starts: int, seed: int, seconds: float | None
) -> int:
    """Solve every row of a model's data, show what came out, and return the exit code."""
    # Torch takes seconds to import: only once all that is cheap to find wrong has been checked.
    import torch

    from ebmlang.api.solve_each import find_row_problems
    from ebmlang.runs.answers import Answers, RowStatus
    from ebmlang.runtime import show_progress

    warn_before_run(arguments, bind_rows(model).model, "solve")
    with show_progress(silent=arguments.quiet or arguments.json) as progress:
        answers: Answers = model.solve_each(
            starts=starts,
            seed=seed,
            seconds=seconds,
            dtype={"float32": torch.float32, "float64": torch.float64}[arguments.precision],
            device=arguments.device,
            out=None if arguments.out is None else Path(arguments.out),
            progress=progress,
        )
    if arguments.json:
        print_json(answers.describe())
    else:
        from ebmlang.cli.row_tables import draw_answers, draw_outcomes

        console = open_console()
        console.print(draw_outcomes(answers))
        if answers.feasible.any():
            console.print(draw_answers(answers))
        if not arguments.quiet:
            console.print(answers.reason)
        problems = list(find_row_problems(model, answers))
        if answers.count(RowStatus.INFEASIBLE):
            problems.append(_report_infeasible(answers.find(RowStatus.INFEASIBLE).tolist(), starts))
        print_diagnostics(problems)
    if answers.interrupted:
        return INTERRUPTED
    return FINE if answers.has_all else RUN_FAILED


def _report_infeasible(rows: list[int], starts: int) -> Diagnostic:
    which = f"row {rows[0]}" if len(rows) == 1 else f"{len(rows)} rows, the first is row {rows[0]}"
    return Diagnostic(
        code="E0706",
        headline=f"no point was found where every `require` holds in {which}",
        notes=(
            f"the nearest of {starts} starts is in the table; that is no proof that there is none",
            "rows count from 0",
        ),
        helps=(f"search from more starts, with `--starts {4 * starts}`",),
    )
