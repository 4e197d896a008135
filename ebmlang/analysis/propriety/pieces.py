"""Elements that are made of straight pieces: the least of largest of affine forms."""

from typing import TypeAlias

from ebmlang.analysis.affine import Affine, AffineForms, combine, scaled_row
from ebmlang.analysis.elements import Applied, Combination, Element, Extreme
from ebmlang.lang.facts import Envelope

Cases: TypeAlias = list[list[Affine]]
"""The least, over cases, of the largest of the pieces of each."""

MOST = 32
"""Most pieces that are written out."""


def find_cases(forms: AffineForms, element: Element, factor: float) -> Cases | None:
    """Return factor * element as straight pieces; None if it is not made of few of them."""
    affine = forms.of(element)
    if affine is not None:
        return [[_scaled(affine, factor)]]
    form = forms.elements.form(element)
    match form:
        case Combination():
            total: Cases | None = [[Affine({})]]
            for source, c in form.terms:
                total = _sum(total, find_cases(forms, source, factor * c))
            return total
        case Applied(name="abs"):
            ways = [find_cases(forms, form.of, way * factor * form.factor) for way in (1.0, -1.0)]
            return _largest(ways) if factor * form.factor > 0 else _least(ways)
        case Applied(name="relu"):
            inner = find_cases(forms, form.of, factor * form.factor)
            ways = [inner, [[Affine({})]]]
            return _largest(ways) if factor * form.factor > 0 else _least(ways)
        case Extreme(name="min" | "max" | "minimum" | "maximum"):
            ways = [find_cases(forms, source, factor) for source in form.among]
            largest = (form.envelope is Envelope.MAX) == (factor > 0)
            return _largest(ways) if largest else _least(ways)
    return None


def _scaled(affine: Affine, factor: float) -> Affine:
    ends = (factor * affine.low, factor * affine.high)
    return Affine(scaled_row(affine.row, factor), min(ends), max(ends))


def _plus(a: Affine, b: Affine) -> Affine:
    return Affine(combine([(a.row, 1.0), (b.row, 1.0)]), a.low + b.low, a.high + b.high)


def _small(cases: Cases) -> Cases | None:
    return cases if sum(len(pieces) for pieces in cases) <= MOST else None


def _sum(a: Cases | None, b: Cases | None) -> Cases | None:
    if a is None or b is None:
        return None
    return _small([[_plus(x, y) for x in one for y in other] for one in a for other in b])


def _least(ways: list[Cases | None]) -> Cases | None:
    known = [way for way in ways if way is not None]
    return _small([case for way in known for case in way]) if len(known) == len(ways) else None


def _largest(ways: list[Cases | None]) -> Cases | None:
    total: Cases | None = [[]]
    for way in ways:
        if total is None or way is None:
            return None
        total = _small([[*one, *other] for one in total for other in way])
    return total
