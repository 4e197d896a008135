"""The oracle's logic: relations and connectives on plain numbers, from their definitions.

A constraint is four numbers: its margin and energy, and those of its negation. So negation swaps
two pairs, and nothing has to be pushed anywhere. Written without a look at the tables, passes
or kernels that the compiled path uses.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ebmlang.check.formulas import RelationOperator
from ebmlang.lang import Sort


@dataclass(frozen=True, slots=True)
class Reading:
    """Both readings of a constraint at one point: it holds iff `margin` >= 0 iff `energy` is 0."""

    margin: float
    energy: float


@dataclass(frozen=True, slots=True)
class Formula:
    """A constraint and its negation at one point."""

    holds: Reading
    fails: Reading

    def negated(self) -> "Formula":
        """Return the NOT of this constraint."""
        return Formula(self.fails, self.holds)

    def scaled(self, weight: float) -> "Formula":
        """Return this constraint with its energies multiplied by a weight."""
        return Formula(
            Reading(self.holds.margin, weight * self.holds.energy),
            Reading(self.fails.margin, weight * self.fails.energy),
        )


def judge_truth(value: bool) -> Formula:
    """Return a truth value as a constraint: margin 0 or -1, energy 0 or 1."""
    true, false = Reading(0.0, 0.0), Reading(-1.0, 1.0)
    return Formula(true, false) if value else Formula(false, true)


def judge_relation(
    operator: RelationOperator, sort: Sort, left: float, right: float, tolerance: float
) -> Formula:
    """Return one comparison of two scalars; the tolerance counts on reals only."""
    if sort is Sort.REAL:
        return Formula(
            _read_real(operator, left, right, tolerance),
            _read_real(_OPPOSITE_REAL[operator], left, right, tolerance),
        )
    if sort is Sort.INT:
        return Formula(
            _read_int(operator, left, right), _read_int(_OPPOSITE_INT[operator], left, right)
        )
    return judge_truth((left == right) == (operator is RelationOperator.EQ))


_LE, _GE = RelationOperator.LE, RelationOperator.GE
_LT, _GT = RelationOperator.LT, RelationOperator.GT
_EQ, _NE = RelationOperator.EQ, RelationOperator.NE

_OPPOSITE_REAL = {_LE: _GE, _GE: _LE, _EQ: _NE, _NE: _EQ}
_OPPOSITE_INT = {_LE: _GT, _GT: _LE, _GE: _LT, _LT: _GE, _EQ: _NE, _NE: _EQ}


def _read_real(operator: RelationOperator, a: float, b: float, s: float) -> Reading:
    if operator is _LE:
        margin = (b - a) / s
    elif operator is _GE:
        margin = (a - b) / s
    elif operator is _EQ:
        margin = 1.0 - abs(a - b) / s
    else:
        assert operator is _NE
        margin = abs(a - b) / s - 1.0
    return Reading(margin, _half_square(margin))


def _read_int(operator: RelationOperator, a: float, b: float) -> Reading:
    margins = {
        _LE: b - a,
        _LT: b - a - 1,
        _GE: a - b,
        _GT: a - b - 1,
        _EQ: -abs(a - b),
        _NE: abs(a - b) - 1,
    }
    margin = float(margins[operator])
    if operator is _NE:
        return Reading(margin, 1.0 if a == b else 0.0)
    return Reading(margin, _half_square(margin))


def _half_square(margin: float) -> float:
    if math.isnan(margin):
        return math.nan
    return max(0.0, -margin) ** 2 / 2


def conjoin(formulas: Sequence[Formula], logic: str) -> Formula:
    """Return the AND of constraints; of none, what always holds."""
    return Formula(
        _and([f.holds for f in formulas], logic), _or([f.fails for f in formulas], logic)
    )


def disjoin(formulas: Sequence[Formula], logic: str) -> Formula:
    """Return the OR of constraints; of none, what never holds."""
    return Formula(
        _or([f.holds for f in formulas], logic), _and([f.fails for f in formulas], logic)
    )


def _and(readings: list[Reading], logic: str) -> Reading:
    margin = float(np.min([r.margin for r in readings], initial=math.inf))
    energies = [r.energy for r in readings]
    if logic == "godel":
        return Reading(margin, float(np.max(energies, initial=0.0)))
    return Reading(margin, math.fsum(energies))


def _or(readings: list[Reading], logic: str) -> Reading:
    margin = float(np.max([r.margin for r in readings], initial=-math.inf))
    energies = [r.energy for r in readings]
    if logic == "godel":
        return Reading(margin, float(np.min(energies, initial=math.inf)))
    return Reading(margin, noisy_or(energies))


def noisy_or(energies: Sequence[float]) -> float:
    """Return -log(1 - prod(1 - exp(-C))) for energies C >= 0.

    With P the product: where P <= 1/2, from P itself; else 1 - P is a sum of positive numbers,
    sum_i exp(-C_i) prod_{j<i} (1 - exp(-C_j)), added up from its largest one.

    >>> noisy_or([0.0, 1e30]), noisy_or([1e30, 1e30]) == 1e30
    (0.0, True)
    """
    if any(math.isnan(energy) for energy in energies):
        return math.nan
    product = math.prod(-math.expm1(-energy) for energy in energies)
    if product <= 0.5:
        return -math.log1p(-product)
    logs = []
    before = 0.0
    for energy in energies:
        logs.append(before - energy)
        before += math.log1p(-math.exp(-energy)) if energy > 1 else math.log(-math.expm1(-energy))
    top = max(logs, default=-math.inf)
    if top == -math.inf:
        return math.inf
    return -(top + math.log(math.fsum(math.exp(value - top) for value in logs)))
