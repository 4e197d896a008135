"""Elements that are made of straight pieces: the least of largest of affine forms."""

from typing import TypeAlias

from ebmlang.analysis.affine import Affine, AffineForms, combine, shifted
from ebmlang.analysis.elements import Applied, Combination, Element, Extreme
from ebmlang.lang.facts import Envelope

Cases: TypeAlias = list[list[Affine]]
"""The least, over cases, of the largest of the pieces of each."""

MOST = 32
"""Most pieces that are written out."""


def find_cases(forms: AffineForms, element: Element, factor: float) -> Cases | None:
    """Return factor * element as straight pieces; None if it is not made of few of them."""
    affine = forms.of(element)
    if affine is not None and affine.low == affine.high:
        return [[shifted(affine, factor)]]
    found = _split(forms, element, factor)
    if found is None and affine is not None:
        # Bounded, but not straight: a constant that varies.
        return [[shifted(affine, factor)]]
    return found


def _split(forms: AffineForms, element: Element, factor: float) -> Cases | None:
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


def find_exponents(forms: AffineForms, form: Applied) -> list[Affine] | None:
    """Return the affine u with form = log of a sum of multiples of exp(u), if it is one.

    A positive constant among the summands is a multiple of exp(0).
    """
    if form.name != "log":
        return None
    found: list[Affine] = []
    stack = [(form.of, 1.0)]
    while stack:
        element, factor = stack.pop()
        affine, inner = forms.of(element), forms.elements.form(element)
        if isinstance(inner, Applied) and inner.name == "exp" and factor > 0:
            exponent = forms.of(inner.of)
            if exponent is None:
                return None
            found.append(exponent)
        elif affine is not None and not forms.moving(affine):
            low, high = forms.rest(affine)
            if min(factor * low, factor * high) < 0:
                return None
            if min(factor * low, factor * high) > 0:
                found.append(Affine({}))
        elif isinstance(inner, Combination):
            stack += [(source, factor * c) for source, c in inner.terms]
        else:
            return None
    return found or None


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
