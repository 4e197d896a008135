"""Squares over one scale: what data that do not fit say of a scale near 0.

    sum_i k_i (v_i / s)^2 >= r^2 / s^2,   r^2 = min over all unknowns of sum_i k_i v_i^2,

for affine v_i. Where the numerators cannot all vanish at once, r is above 0, and the sum outgrows
any log s as s goes to 0: that is what keeps a regression with an unknown scale bounded below.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ebmlang.analysis.affine import Affine, AffineForms
from ebmlang.analysis.elements import Applied, Combination, Element, Quotient
from ebmlang.analysis.propriety.cone import ENTRIES
from ebmlang.analysis.propriety.lower_bound import Atom, Conjunction, Pole
from ebmlang.lang.facts import Growth, Rate

MISFIT = 1e-9
"""A residual below this, relative to the numbers that it is left from, counts as 0."""


@dataclass(frozen=True, slots=True)
class ScaledSquare:
    """factor * (over / scale)^2 with a positive factor."""

    over: Affine
    scale: Element
    factor: float
    source: Element


def find_scaled_square(forms: AffineForms, element: Element, factor: float) -> ScaledSquare | None:
    """Return factor * element as the square of a known affine value over something."""
    form = forms.elements.form(element)
    if not isinstance(form, Applied) or form.profile.right != Growth(Rate.POWER, 1.0, 2.0):
        return None
    if form.profile.left != form.profile.right or factor * form.factor <= 0:
        return None
    ratio = forms.elements.form(form.of)
    if not isinstance(ratio, Quotient):
        return None
    over = forms.of(ratio.over)
    if over is None or over.low != over.high or math.isinf(over.low):
        return None
    return ScaledSquare(over, _traced(forms, ratio.under), factor * form.factor, element)


def bound_misfit(forms: AffineForms, squares: Sequence[ScaledSquare]) -> list[Conjunction]:
    """Return what squares over the same scales add near the places where these vanish."""
    found = []
    for scale in dict.fromkeys(square.scale for square in squares):
        own = [square for square in squares if square.scale == scale]
        if _misfit(own) > 0:
            found.append(_bound(forms, scale, own[0].source))
    return found


def _misfit(squares: Sequence[ScaledSquare]) -> float:
    """Return the least sum of factor * over^2; 0 where it is too near to 0 to tell."""
    members = sorted({j for square in squares for j in square.over.row})
    if len(members) * len(squares) > ENTRIES:
        return 0.0
    place = {j: k for k, j in enumerate(members)}
    matrix = np.zeros((len(squares), len(members)))
    target = np.zeros(len(squares))
    for number, square in enumerate(squares):
        root = math.sqrt(square.factor)
        target[number] = root * square.over.low
        for j, c in square.over.row.items():
            matrix[number, place[j]] = root * c
    step = np.linalg.lstsq(matrix, -target, rcond=None)[0] if members else np.zeros(0)
    left = float(np.linalg.norm(matrix @ step + target))
    return left if left > MISFIT * float(np.linalg.norm(target)) else 0.0


def _bound(forms: AffineForms, scale: Element, source: Element) -> Conjunction:
    """Return r^2 / s^2 near the places where s vanishes: an end of a domain, or exp far down."""
    affine, form = forms.of(scale), forms.elements.form(scale)
    if affine is not None and len(affine.row) == 1 and affine.low == affine.high:
        ((j, c),) = affine.row.items()
        end = -affine.low / c
        pole = Pole(j, end, Growth(Rate.POWER, 1.0, 2.0), source)
        return Conjunction(poles=(pole,), settles=False)
    if isinstance(form, Applied) and form.name == "exp":
        inner = forms.of(form.of)
        if inner is not None and inner.low == inner.high and (row := forms.moving(inner)):
            down = {j: -2.0 * c for j, c in row.items()}
            return Conjunction(atoms=(Atom((down,), Growth(Rate.EXP), source),), settles=False)
    return Conjunction(settles=False)


def _traced(forms: AffineForms, element: Element) -> Element:
    """Return the element that one is only a copy of."""
    form = forms.elements.form(element)
    while isinstance(form, Combination) and len(form.terms) == 1 and form.terms[0][1] == 1.0:
        element = form.terms[0][0]
        form = forms.elements.form(element)
    return element
