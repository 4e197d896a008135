"""Places where a function of one number is infinite: what log does at 0."""

import math

from ebmlang.analysis.affine import AffineForms
from ebmlang.analysis.elements import Applied, Combination, Element
from ebmlang.analysis.growth import BOUNDED, scaled, strength
from ebmlang.analysis.propriety.lower_bound import Conjunction, Pole, fault, join
from ebmlang.lang.behavior import enclose
from ebmlang.lang.facts import Growth, Profile
from ebmlang.lang.interval import Interval
from ebmlang.lang.table import OPERATORS


def find_poles(forms: AffineForms, element: Element, form: Applied, factor: float) -> Conjunction:
    """Return what factor * f does near places where f is infinite."""
    profile = form.profile
    if not _has_poles(profile):
        return Conjunction()
    bounded = forms.elements.is_bounded(element, factor / form.factor)
    low, high = _range(forms, form.of)
    unknown = any(p.slope is None and low < p.end and high > p.start for p in profile.pieces)
    if unknown and not bounded:
        return fault(element, "its values are not known there")
    if profile.period is not None:
        falls = not bounded and any(kink.before is not None for kink in profile.kinks)
        return fault(element) if falls else Conjunction()
    start, end = domain_of(profile)
    places: list[tuple[float, Growth | None, Growth | None]] = [
        (kink.place, kink.before, kink.after) for kink in profile.kinks
    ]
    if start > -math.inf:
        places.append((start, None, profile.left))
    if end < math.inf:
        places.append((end, profile.right, None))
    found = []
    for place, before, after in places:
        for growth, reached in ((before, low < place <= high), (after, low <= place < high)):
            if growth is None or not reached or strength(growth) <= strength(BOUNDED):
                continue
            own = scaled(growth, factor)
            if own.factor > 0 or not bounded:
                found.append(_pole(forms, element, form.of, place, own))
    return join(found) if found else Conjunction()


def _has_poles(profile: Profile) -> bool:
    """Return whether a function is infinite, or unknown, anywhere but at infinity."""
    start, end = domain_of(profile)
    return (
        math.isfinite(start)
        or math.isfinite(end)
        or any(piece.slope is None for piece in profile.pieces)
        or any(kink.before is not None or kink.after is not None for kink in profile.kinks)
    )


def _pole(
    forms: AffineForms, element: Element, of: Element, place: float, growth: Growth
) -> Conjunction:
    """Return what an element does where another comes near a place."""
    affine = forms.of(of)
    if affine is not None and len(affine.row) == 1 and affine.low == affine.high:
        ((j, c),) = affine.row.items()
        at, end = forms.coordinates[j], (place - affine.low) / c
        if end in (at.lower, at.upper):
            return Conjunction(poles=(Pole(j, end, growth, element),), settles=False)
    if growth.factor > 0:
        return Conjunction(settles=False)
    return fault(element, "it can fall without bound")


def _range(forms: AffineForms, element: Element) -> tuple[float, float]:
    """Return what an element lies between, with what the affine forms know to cancel."""
    low, high = forms.elements.bounds(element)
    affine, form = forms.of(element), forms.elements.form(element)
    if affine is not None and not affine.row:
        return max(low, affine.low), min(high, affine.high)
    if isinstance(form, Applied) and form.exponent == 1.0:
        ends = _range(forms, form.of)
        found = enclose(OPERATORS[form.name], [Interval.make(*ends)], {})
        reached = (form.factor * float(found.lower), form.factor * float(found.upper))
        return max(low, min(reached)), min(high, max(reached))
    if isinstance(form, Combination):
        total = [0.0, 0.0]
        for source, factor in form.terms:
            ends = _range(forms, source)
            total[0] += min(factor * end for end in ends)
            total[1] += max(factor * end for end in ends)
        return max(low, total[0]), min(high, total[1])
    return low, high


def domain_of(profile: Profile) -> tuple[float, float]:
    """Return where a function is defined."""
    if profile.period is not None:
        return -math.inf, math.inf
    return profile.pieces[0].start, profile.pieces[-1].end
