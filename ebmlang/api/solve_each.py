"""`solve_each`: one spec, many rows of data, solved as batches of rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.api.blame import blame_term
from ebmlang.api.check import require_sound
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.counts import require_counts
from ebmlang.api.model import Model
from ebmlang.api.row_bounds import Columns, RowLimits, find_limits, judge_rows
from ebmlang.api.rows import Table, bind_rows
from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.tiers import PER_START, Ahead
from ebmlang.runs import collect_versions
from ebmlang.runs.answer_file import open_answers
from ebmlang.runs.answers import Answers, RowStatus
from ebmlang.runtime import (
    Budget,
    Progress,
    RowTarget,
    SilentProgress,
    threads_for,
    watch_interrupts,
)
from ebmlang.solve.local import ADAM_STEPS, STEPS, Local
from ebmlang.solve.loop import Watch
from ebmlang.solve.rows import RowSolution, build_boxes, solve_rows
from ebmlang.solve.solution import StoppingReason
from ebmlang.source import Diagnostic, EbmError

Column = NDArray[Any]
"""Values of rows. Any: numbers or truth values."""

CHUNK_NUMBERS = 131_072
"""Coordinates that are moved as one batch, starts times unknowns: enough that the work outweighs
the calls, few enough that memory is bounded and that rows are kept as the run goes."""

LEAST_STARTS = 128
"""Starts of a batch however many unknowns there are: as many as `solve` has."""

READ_ROWS = 65_536
"""Rows of data that are looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Search:
    """What all chunks of a run share."""

    table: Table
    module: CompiledEnergy
    limits: RowLimits
    starts: int
    seed: int
    versions: dict[str, str]


def solve_each_model(
    model: Model,
    *,
    starts: int,
    seed: int,
    seconds: float | None,
    dtype: torch.dtype | None,
    device: str,
    out: Path | None,
    progress: Progress | None,
) -> Answers:
    """Search for the best design of every row; see `Model.solve_each`."""
    require_counts(starts=starts)
    file = open_answers(out)
    table = bind_rows(model)
    require_sound(table.model, "solve")
    module = compile_model(table.model, dtype=dtype, device=device)
    module.ahead = Ahead(calls=PER_START, points=table.count * starts)
    # Tensors that are made in inference mode could not be differentiated through later.
    with torch.inference_mode(False):
        limits = find_limits(module, lay_out(module), _read_all(module, table))
    search = _Search(
        table=table,
        module=module,
        limits=limits,
        starts=starts,
        seed=seed,
        versions=collect_versions(),
    )
    if search.limits.layout.dim == 0:
        raise EbmError(
            Diagnostic(code="E0708", headline="there is nothing to find: the model has no unknowns")
        )
    listener = SilentProgress() if progress is None else progress
    chunks: list[Answers] = []
    size = choose_chunk(starts, search.limits.layout.dim)
    with (
        torch.inference_mode(False),
        threads_for(min(size, table.count) * starts * search.limits.layout.dim),
        watch_interrupts() as interrupt,
    ):
        watch = Watch(SilentProgress(), Budget(seconds=seconds).start(), interrupt)
        listener.started(table.count, "solving rows")
        try:
            for first in range(0, table.count, size):
                if watch.reason is not None:
                    break
                rows = np.arange(first, min(first + size, table.count))
                chunks.append(_solve_chunk(search, rows, watch))
                file.add(chunks[-1])
                listener.advance(len(rows), f"{_count_solved(chunks)} solved")
        finally:
            listener.finished("")
        whole = _join(search, chunks, watch.reason)
    file.close(whole)
    return whole


def choose_chunk(starts: int, dim: int) -> int:
    """Return how many rows are solved as one batch.

    >>> choose_chunk(8, 4), choose_chunk(8, 100_000)
    (4096, 16)
    """
    return max(1, max(LEAST_STARTS, CHUNK_NUMBERS // dim) // starts)


def find_row_problems(model: Model, answers: Answers) -> Iterator[Diagnostic]:
    """Yield a message for each kind of row without an answer, about the first of its kind."""
    table = bind_rows(model)
    for outcome in (RowStatus.BAD_DATA, RowStatus.NOT_FINITE):
        rows = answers.find(outcome)
        if len(rows):
            yield _explain(table, answers, int(rows[0]), len(rows))


def _solve_chunk(search: _Search, rows: NDArray[np.intp], watch: Watch) -> Answers:
    module, table = search.module, search.table
    answers = _start_answers(search, rows)
    readable, columns = _read(module, table, rows)
    sound, lower, upper = judge_rows(search.limits, module, columns)
    kept = torch.nonzero(sound)[:, 0]
    written = module.over_rows(tuple(column[kept] for column in columns))
    target: RowTarget = written
    boxes = None
    if search.limits.varies:
        boxes = build_boxes(written, lower[kept], upper[kept])
        target = boxes
    if not len(kept):
        return answers
    found = solve_rows(
        target,
        search.limits.layout,
        rows=len(kept),
        starts=search.starts,
        seed=search.seed,
        local=Local(adam_steps=ADAM_STEPS, steps=STEPS),
        watch=watch,
    )
    with torch.no_grad():
        points = found.points if boxes is None else boxes.to_written(found.points)
        values = written.reports(points)
    places = readable[kept.cpu().numpy()] - rows[0]
    return _fill(answers, search, places, found, points, values, watch.reason is not None)


def _read_all(module: CompiledEnergy, table: Table) -> Iterator[Columns]:
    for first in range(0, table.count, READ_ROWS):
        rows = np.arange(first, min(first + READ_ROWS, table.count))
        yield _read(module, table, rows)[1]


def _read(
    module: CompiledEnergy, table: Table, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Columns]:
    """Return those of some rows that can be read, and their data."""
    readable = rows[~table.unreadable[rows]]
    return readable, tuple(_tensor(module, column) for column in table.columns(readable))


def _start_answers(search: _Search, rows: NDArray[np.intp]) -> Answers:
    """Return answers of rows whose data cannot be used."""
    count, graph = len(rows), search.module.graph
    shapes = {variable.path: variable.shape for variable in graph.variables}
    reports = {root.path: graph.nodes[n].shape for root, n in graph.roots_of(RootKind.REPORT)}
    return Answers(
        first=int(rows[0]),
        status=np.full(count, RowStatus.BAD_DATA, dtype=np.uint8),
        energy=np.full(count, np.nan),
        feasible=np.zeros(count, dtype=np.bool_),
        converged=np.zeros(count, dtype=np.bool_),
        variables={path: np.full((count, *shape), np.nan) for path, shape in shapes.items()},
        reports={path: np.full((count, *shape), np.nan) for path, shape in reports.items()},
        reason="",
        interrupted=False,
        seed=search.seed,
        starts=search.starts,
        versions=search.versions,
    )


def _fill(
    answers: Answers,
    search: _Search,
    places: NDArray[np.intp],
    found: RowSolution,
    points: Tensor,
    reports: tuple[Tensor, ...],
    cut: bool,
) -> Answers:
    """Return the answers with what was found at some places of the chunk."""
    finite = found.finite.cpu().numpy()
    status = np.full(len(places), RowStatus.SOLVED, dtype=np.uint8)
    restless, feasible = ~found.converged.cpu().numpy(), found.feasible.cpu().numpy()
    status[restless] = RowStatus.UNFINISHED
    # Of a search that was cut short, it is not known whether it would have found a point.
    status[~feasible & ~(restless & cut)] = RowStatus.INFEASIBLE
    status[~finite] = RowStatus.NOT_FINITE

    def put(into: Column, values: Tensor | Column) -> Column:
        result = into.copy()
        result[places] = values.cpu().numpy() if isinstance(values, Tensor) else values
        return result

    def put_finite(into: Column, values: Tensor) -> Column:
        kept = finite.reshape(-1, *[1] * (values.ndim - 1))
        return put(into, np.where(kept, values.cpu().numpy().astype(np.float64), np.nan))

    unpacked = search.module.unpack(points)
    by_report = dict(zip(answers.reports, reports, strict=True))
    return replace(
        answers,
        status=put(answers.status, status),
        energy=put_finite(answers.energy, found.energies),
        feasible=put(answers.feasible, found.feasible),
        converged=put(answers.converged, found.converged),
        variables={p: put_finite(v, unpacked[p]) for p, v in answers.variables.items()},
        reports={p: put_finite(v, by_report[p]) for p, v in answers.reports.items()},
    )


def _join(search: _Search, chunks: list[Answers], reason: StoppingReason | None) -> Answers:
    """Return the answers of all rows; those that no chunk has are not reached."""
    done = sum(map(len, chunks))
    parts = list(chunks)
    if done < search.table.count:
        rest = _start_answers(search, np.arange(done, search.table.count))
        parts.append(replace(rest, status=np.full_like(rest.status, RowStatus.NOT_REACHED)))
    whole = parts[0]
    ended = "every row has been searched" if reason is None else reason.value
    return replace(
        whole,
        status=np.concatenate([part.status for part in parts]),
        energy=np.concatenate([part.energy for part in parts]),
        feasible=np.concatenate([part.feasible for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        variables={p: np.concatenate([c.variables[p] for c in parts]) for p in whole.variables},
        reports={p: np.concatenate([c.reports[p] for c in parts]) for p in whole.reports},
        reason=ended,
        interrupted=reason is StoppingReason.INTERRUPTED,
    )


def _explain(table: Table, answers: Answers, row: int, count: int) -> Diagnostic:
    """Return what is wrong with a row, as it would be said of the row alone."""
    alone = table.alone(row)
    where = f"this is row {row} of {len(answers)}, counted from 0"
    if count > 1:
        where += f"; the data of {count} rows cannot be used"
    try:
        module = compile_model(alone)
        layout = lay_out(module)
    except EbmError as error:
        first = error.diagnostics[0]
        return replace(first, notes=(*first.notes, where))
    if answers.status[row] == RowStatus.BAD_DATA:
        headline = f"whether a bound is infinite differs from row to row, as in row {row}"
        return Diagnostic(code="E0721", headline=headline)
    headline = f"the energy is not finite at any starting point of row {row}"
    others = (f"so it is in {count} rows of {len(answers)}",) if count > 1 else ()
    blank = EbmError(Diagnostic(code="E0707", headline=headline, notes=others))
    return blame_term(blank, module, layout, answers.seed).diagnostics[0]


def _count_solved(chunks: list[Answers]) -> int:
    return sum(chunk.count(RowStatus.SOLVED) for chunk in chunks)


def _tensor(module: CompiledEnergy, column: NDArray[np.generic]) -> Tensor:
    dtype = module.dtype if column.dtype.kind == "f" else None
    return torch.tensor(column, dtype=dtype, device=module.device)
