"""Products of affine values as sums and differences of squares."""

from typing import TypeAlias

from ebmlang.analysis.affine import AffineForms, Row, combine
from ebmlang.analysis.elements import Applied, Element, Length
from ebmlang.analysis.propriety.lower_bound import Conjunction, Square
from ebmlang.lang.facts import Growth, Rate

Ends: TypeAlias = tuple[float, float]


def product_of_rows(
    element: Element, rows: tuple[Row, Row], ends: tuple[Ends, Ends], factor: float
) -> Conjunction:
    """Return factor * (r + c)(s + d), exactly, as squares.

    Args:
        element: For messages.
        rows: r and s; neither is 0.
        ends: What c and d lie between.
        factor: Any number.
    """
    if rows[0] == rows[1] and ends[0] == ends[1]:
        return Conjunction(squares=(Square(rows[0], factor, *ends[0], element),))
    plus = combine([(rows[0], 1.0), (rows[1], 1.0)])
    minus = combine([(rows[0], 1.0), (rows[1], -1.0)])
    if not plus or not minus:
        return _shifted_square(element, rows, ends, factor)
    squares = [
        Square(row, sign * factor / 4, low, high, element)
        for row, sign, low, high in (
            (plus, 1.0, ends[0][0] + ends[1][0], ends[0][1] + ends[1][1]),
            (minus, -1.0, ends[0][0] - ends[1][1], ends[0][1] - ends[1][0]),
        )
    ]
    return Conjunction(squares=tuple(squares), settles=False)


def _shifted_square(
    element: Element, rows: tuple[Row, Row], ends: tuple[Ends, Ends], factor: float
) -> Conjunction:
    """Return (r + c)(s r + d) for s = 1 or -1: s (r + (c + s d) / 2)^2 less a constant."""
    sign = 1.0 if rows[0] == rows[1] else -1.0
    other = ends[1] if sign > 0 else (-ends[1][1], -ends[1][0])
    low, high = (ends[0][0] + other[0]) / 2, (ends[0][1] + other[1]) / 2
    square = Square(rows[0], sign * factor, low, high, element)
    return Conjunction(squares=(square,), settles=False)


def squared_length(
    forms: AffineForms, element: Element, form: Applied, factor: float
) -> Conjunction | None:
    """Return |v|^2 of affine v as the squares that it is exactly the sum of."""
    inner = forms.elements.form(form.of)
    if form.profile.right != Growth(Rate.POWER, 1.0, 2.0) or not isinstance(inner, Length):
        return None
    squares = []
    for source in inner.of:
        affine = forms.of(source)
        if affine is None:
            return None
        if row := forms.moving(affine):
            squares.append(Square(row, factor, *forms.rest(affine), element))
    return Conjunction(squares=tuple(squares))
