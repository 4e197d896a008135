"""`explain --vacuous`: terms, and branches of terms, that never act on the points of a run."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.composition import DISJUNCTIVE, Joint, TermPiece
from ebmlang.api.composed import compose_model
from ebmlang.api.explain_point import is_stale, pack_run, read_values
from ebmlang.api.model import Model
from ebmlang.api.run_files import RunLike
from ebmlang.lower.decomposition import Reading
from ebmlang.lower.pieces import read_terms
from ebmlang.runs.convergence import CONSTANT
from ebmlang.runs.idle import Idle, Idleness, IdleTerms

LEAST_RESPONSIBILITY = 1e-3
"""A branch that never answers for more than this is never the reason."""

LEAST_MARGIN = 1e-3
"""A margin below it is at the boundary, however few points there are [tolerances]."""

Array = NDArray[np.float64]


def find_idle(model: Model, run: RunLike) -> IdleTerms:
    """Return what never acts on the points of a run.

    A constraint is idle where its energy, and with it its gradient, is 0 at all points, and its
    boundary is far: farther from the nearest point than that is from the middle one.

    Args:
        model: Bound to its data.
        run: What `sample` or `solve` returned, the name of a file that they wrote, or what
            `read_run` returns.
    """
    composed = compose_model(model)
    run, x, _ = pack_run(composed.module, run)
    readings = read_terms(composed.module, composed.composition, read_values(composed, x))
    among = _Among(f"{len(x):,} {run.kind if len(x) != 1 else run.kind.removesuffix('s')}")
    return IdleTerms(
        points=len(x),
        kind=run.kind,
        stale=is_stale(composed.module, run, x),
        idle=tuple(
            one
            for term in composed.composition.terms
            for one in among.term(term, readings[term.path])
        ),
    )


class _Among:
    """What is idle among some points; `points` says in words which."""

    def __init__(self, points: str) -> None:
        self.points = points

    def term(self, term: TermPiece, reading: Reading) -> Iterator[Idle]:
        """Yield a term that is idle, or else the parts of it that are."""
        whole = self.judged(term, reading, term.path)
        if whole is not None:
            yield whole
        else:
            yield from self.inside(term, reading)

    def judged(self, term: TermPiece, reading: Reading, text: str) -> Idle | None:
        """Return a piece that is idle as a whole, else None."""
        span = term.term.span if text == term.path else reading.piece.span
        if reading.margin is None:
            values = reading.energy[reading.counts]
            value = float(values.flat[0]) if values.size else 0.0
            if np.isfinite(values).all() and _is_constant(values):
                return Idle(
                    path=term.path,
                    text=text,
                    span=span,
                    kind=Idleness.CONSTANT,
                    amount=value,
                    reason=f"is {value:.4g} at all {self.points}, and so decides nothing",
                )
            return None
        margins = _least(reading)
        least = float(margins.min())
        # An infinite margin, over nothing, is as far as can be.
        far = np.isinf(least) or float(np.median(margins)) - least <= least
        if not (least >= LEAST_MARGIN and far):
            return None
        return Idle(
            path=term.path,
            text=text,
            span=span,
            kind=Idleness.FAR,
            amount=least,
            reason=f"never acts: its least margin is {_tolerances(least)} in {self.points}",
        )

    def inside(self, term: TermPiece, reading: Reading) -> Iterator[Idle]:
        """Yield the parts of a piece that are idle."""
        piece = reading.piece
        if piece.joint is Joint.LEAF:
            return
        if piece.joint in DISJUNCTIVE:
            for part, place in _branches(reading):
                most = float(np.max(_at(part.responsibility, place), initial=0.0))
                if most < LEAST_RESPONSIBILITY:
                    element = "" if piece.axes is None else f"{piece.axes.name(place)} "
                    yield self.branch(term, part, f"{element}{part.piece.text}", most)
                elif piece.axes is None:
                    yield from self.inside(term, part)
            return
        for part in reading.parts:
            # The elements of a `forall` share one text: it is idle, or acts, as a whole.
            idle = None if piece.axes is not None else self.judged(term, part, part.piece.text)
            if idle is not None:
                yield idle
            else:
                yield from self.inside(term, part)

    def branch(self, term: TermPiece, part: Reading, text: str, most: float) -> Idle:
        """Return a branch that never is the reason."""
        return Idle(
            path=term.path,
            text=text,
            span=part.piece.span,
            kind=Idleness.BRANCH,
            amount=most,
            reason=f"is never the reason: it answers for at most {most:.2g} of the `or` in "
            f"{self.points}",
        )


def _branches(reading: Reading) -> Iterator[tuple[Reading, tuple[int, ...]]]:
    """Yield each branch of an OR, and its place among the elements where it is one."""
    if reading.piece.axes is None:
        yield from ((part, ()) for part in reading.parts)
        return
    (part,) = reading.parts
    for place in np.ndindex(reading.piece.axes.shape):
        if np.any(_at(part.counts, place)):
            yield part, place


def _at(array: NDArray[Any], place: tuple[int, ...]) -> NDArray[Any]:
    """Return the values of one element at all points.

    Any: numbers or truth values; and NumPy's types know no such index.
    """
    index: Any = (..., *place)
    return np.asarray(array[index])


def _least(reading: Reading) -> Array:
    """Return the least margin of each point, over all elements that count."""
    assert reading.margin is not None
    margins = np.where(reading.counts, reading.margin, np.inf)
    return np.asarray(margins.reshape(len(margins), -1).min(axis=1))


def _is_constant(values: Array) -> bool:
    return values.size == 0 or bool(
        np.ptp(values) <= CONSTANT * max(1.0, float(np.abs(values).max()))
    )


def _tolerances(margin: float) -> str:
    # Over nothing, or where a condition holds for none, nothing can ever act.
    return f"{margin:.3g} tolerances" if np.isfinite(margin) else "infinite"
