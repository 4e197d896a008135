"""The truth about a spec of the exact fragment, by recession functions in exact arithmetic.

exp(-E) is the sum over branches, but for a bounded factor, and each branch is a closed convex
function of atoms. Such a function, with a domain that has an interior, has a finite integral iff
its recession function is positive at every direction but 0, and is bounded below iff that is
nowhere negative (its atoms are linear, quadratic, or walls); then its minimum is attained.

Source: Rockafellar and Wets, Variational Analysis, 3.26 and 11.16; Rockafellar, Convex Analysis,
theorems 8.4 and 8.7.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from tests.propriety.elimination import Row, has_solution, row
from tests.propriety.formulas import Branch, Shape
from tests.propriety.fragment import Sketch


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether it is so; None where this oracle cannot tell."""

    bounded_below: bool
    has_minimizer: bool | None
    integrable: bool


class Thin(Exception):
    """A branch has a domain without an interior: it weighs nothing, and is not drawn here."""


MANY = 64
"""Branches beyond which a spec is not looked at."""


def find_truth(sketch: Sketch) -> Truth | None:
    """Return the truth; None where nothing fulfils what is required.

    Raises:
        Thin: If some branch of it is possible, but only on a set without volume.
    """
    branches = [branch for branch in sketch.branches() if _is_possible(branch, strict=False)]
    if not branches:
        return None
    if not all(_is_possible(branch, strict=True) for branch in branches):
        raise Thin
    integrable = not any(_has_direction(branch, falling=False) for branch in branches)
    bounded = not any(_has_direction(branch, falling=True) for branch in branches)
    # A `positive` variable counts as one that may be 0: solving finds what is least there.
    known = integrable or len(sketch.branches()) == 1 or sketch.is_least_branch()
    attained = False if not bounded else True if known else None
    return Truth(bounded, attained, integrable)


def _is_possible(branch: Branch, *, strict: bool) -> bool:
    return has_solution(
        row([-s for s in atom.argument.slopes], -atom.argument.offset, strict=strict)
        for atom in branch
        if atom.shape is Shape.WALL
    )


def _has_direction(branch: Branch, *, falling: bool) -> bool:
    """Return whether the recession function is negative, or is not positive at some d != 0."""
    if not branch:
        return not falling
    size = len(branch[0].argument.slopes)
    for rows, slope in _linear_parts(branch, size):
        if falling:
            if has_solution([*rows, row([-s for s in slope], strict=True)]):
                return True
            continue
        level = row([-s for s in slope])
        for i, sign in product(range(size), (1, -1)):
            moving = row([sign * int(j == i) for j in range(size)], strict=True)
            if has_solution([*rows, level, moving]):
                return True
    return False


def _linear_parts(branch: Branch, size: int) -> Iterator[tuple[list[Row], list[Fraction]]]:
    """Yield cones that cover the directions of finite growth, with the growth, linear in each."""
    rows: list[Row] = []
    folds: list[tuple[tuple[int, Fraction], ...]] = []
    for atom in branch:
        slopes, factor = atom.argument.slopes, atom.factor
        match atom.shape:
            case Shape.ABOVE | Shape.WALL:
                rows.append(row([-s for s in slopes]))
                folds.append(((0, Fraction(0)),))
            case Shape.AWAY:
                rows += [row(slopes), row([-s for s in slopes])]
                folds.append(((0, Fraction(0)),))
            case Shape.TILT:
                folds.append(((0, factor),))
            case Shape.SPREAD:
                folds.append(((1, factor), (-1, -factor)))
            case Shape.RAMP:
                folds.append(((1, factor), (-1, Fraction(0))))
    for choice in product(*folds):
        inside = list(rows)
        total = [Fraction(0)] * size
        for atom, (side, factor) in zip(branch, choice, strict=True):
            slopes = atom.argument.slopes
            if side:
                inside.append(row([side * s for s in slopes]))
            total = [t + factor * s for t, s in zip(total, slopes, strict=True)]
        yield inside, total
