"""Operators with one fact changed to another one: what the checks of facts must tell apart.

A change that only says less (a rising slope called mixed, an affine function called convex) is no
mutant: what it says is true.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ebmlang.lang.facts import (
    Curvature,
    Envelope,
    Growth,
    Kink,
    Profile,
    Rate,
    Rules,
    SignOf,
    Slope,
    Smoothness,
)
from ebmlang.lang.interval import Interval
from ebmlang.lang.operator import Family, Operator
from ebmlang.lang.profiles import scaled_profile
from tests.lang.operands import INDICES, TRUTHS


def mutants(record: Operator) -> Iterator[tuple[str, Operator]]:
    """Yield an operator with each of its facts changed, and what was changed."""
    facts = record.facts
    changed = _profiles(facts) if isinstance(facts, Profile) else _rules(record, facts)
    for name, mutant in changed:
        yield name, replace(record, facts=mutant)


# --- profiles ------------------------------------------------------------------------


def _profiles(profile: Profile) -> Iterator[tuple[str, Profile]]:
    for i, piece in enumerate(profile.pieces):
        for field in ("slope", "bend"):
            value = getattr(piece, field)
            other = 1 if value is None else -value
            if other != value:
                pieces = list(profile.pieces)
                pieces[i] = replace(piece, **{field: other})
                yield f"{field} of piece {i}", replace(profile, pieces=tuple(pieces))
    for i, kink in enumerate(profile.kinks):
        kinks = list(profile.kinks)
        del kinks[i]
        yield f"kink {i} left out", replace(profile, kinks=tuple(kinks))
        for name, mutant in _kinks(kink):
            kinks = list(profile.kinks)
            kinks[i] = mutant
            yield f"{name} of kink {i}", replace(profile, kinks=tuple(kinks))
    repeats_poles = profile.period is not None and any(kink.before for kink in profile.kinks)
    for field in ("left", "right") if not repeats_poles else ():
        for name, growth in _growths(getattr(profile, field)):
            yield f"{name} of {field} growth", replace(profile, **{field: growth})
    if profile.period is not None:
        yield "period", replace(profile, period=1.5 * profile.period)
        yield "lift", replace(profile, lift=1.0 - 2.0 * profile.lift)


def _kinks(kink: Kink) -> Iterator[tuple[str, Kink]]:
    if kink.bend is not None:
        yield "bend", replace(kink, bend=-kink.bend)
    if kink.jump:
        yield "jump", replace(kink, jump=-kink.jump)
    for field in ("before", "after"):
        growth = getattr(kink, field)
        for name, mutant in _growths(growth) if growth is not None else ():
            yield f"{name} {field}", replace(kink, **{field: mutant})


def _growths(growth: Growth) -> Iterator[tuple[str, Growth]]:
    if growth.rate is Rate.BOUNDED:
        yield "rate", Growth(Rate.POWER, 1.0, 1.0)
        return
    yield "sign", replace(growth, factor=-growth.factor)
    if growth.rate is Rate.POWER:
        yield "power", replace(growth, power=2 * growth.power)
    if growth.rate in (Rate.POWER, Rate.EXP, Rate.LOG):
        yield "factor", replace(growth, factor=2 * growth.factor)


# --- rules ---------------------------------------------------------------------------


def _rules(record: Operator, rules: Rules) -> Iterator[tuple[str, Rules]]:
    for i, slope in enumerate(rules.slopes):
        if i == INDICES.get(record.name):
            continue
        for name, other in _slopes(slope):
            slopes = (*rules.slopes[:i], other, *rules.slopes[i + 1 :])
            yield f"slope {i} {name}", replace(rules, slopes=slopes)
    for curvature in Curvature:
        if not _follows(rules.curvature, curvature) and record.name not in TRUTHS:
            yield f"curvature {curvature.value}", replace(rules, curvature=curvature)
    linear = {i for group in rules.linear for i in group}
    for i in range(len(record.parameters)):
        if i not in linear and i not in (TRUTHS.get(record.name), INDICES.get(record.name)):
            yield f"linear in {i}", replace(rules, linear=(*rules.linear, (i,)))
    if len(rules.linear) > 1:
        together = (tuple(sorted(linear)),)
        yield "linear in all together", replace(rules, linear=together)
    reduces = record.family is Family.REDUCTION or rules.envelope is not None
    for envelope in Envelope:
        if reduces and envelope is not rules.envelope:
            yield f"envelope {envelope.value}", replace(rules, envelope=envelope)
    for smoothness in Smoothness:
        if smoothness is not rules.smoothness:
            yield f"smoothness {smoothness.value}", replace(rules, smoothness=smoothness)
    for i in range(len(record.parameters)) if record.family is Family.ELEMENTWISE else ():
        if i not in rules.poles and i not in (TRUTHS.get(record.name), _POLES.get(record.name)):
            yield f"pole in {i}", replace(rules, poles=(*rules.poles, i))
    for i, profile_of in enumerate(rules.sections):
        if profile_of is not None:
            yield f"section {i}", replace(rules, sections=_negated(rules, i))
    if rules.bounds is not None:
        for name, change in _BOUNDS.items():
            if name == "negated" and record.name in _SYMMETRIC:
                continue
            bounds = _changed(rules.bounds, change)
            yield f"bounds {name}", replace(rules, bounds=bounds)


def _slopes(slope: Slope | SignOf) -> Iterator[tuple[str, Slope | SignOf]]:
    match slope:
        case SignOf():
            yield "negated", replace(slope, factor=-slope.factor)
            yield "rising", Slope.RISING
        case Slope.MIXED:
            yield "rising", Slope.RISING
            yield "falling", Slope.FALLING
        case _:
            yield "negated", Slope(-slope.value)


def _follows(known: Curvature, other: Curvature) -> bool:
    """Return whether the other curvature says no more than the known one."""
    weaker = {
        Curvature.AFFINE: {Curvature.CONVEX, Curvature.CONCAVE},
        Curvature.CONSTANT: set(Curvature),
    }
    return other in (known, Curvature.UNKNOWN) or other in weaker.get(known, set())


def _negated(rules: Rules, position: int) -> tuple[Any, ...]:
    """Any: sections, as the record has them."""
    sections = list(rules.sections)
    original = sections[position]
    assert original is not None

    def negated(number: float) -> Profile | None:
        profile = original(number)
        return None if profile is None else scaled_profile(profile, -1.0)

    sections[position] = negated
    return tuple(sections)


def _changed(
    bounds: Callable[..., Interval], change: Callable[[Interval], Interval]
) -> Callable[..., Interval]:
    return lambda *operands, **options: change(bounds(*operands, **options))


def _shrunk(x: Interval, *, low: bool) -> Interval:
    """Move one end inward: by a twentieth of the width, or from infinity to a number."""
    with np.errstate(invalid="ignore"):
        width = np.maximum(x.upper - x.lower, 0.1)
    inward = np.where(np.isfinite(width), 0.05 * width, 0.5)
    if low:
        moved = np.where(x.lower == -np.inf, np.minimum(x.upper, 0.0) - 50.0, x.lower + inward)
        return Interval.make(moved, x.upper)
    moved = np.where(x.upper == np.inf, np.maximum(x.lower, 0.0) + 50.0, x.upper - inward)
    return Interval.make(x.lower, moved)


_POLES = {"digamma": 0, "trigamma": 0}
"""Operands at whose zeros there is a pole, among others: a record cannot say so of only some."""

_SYMMETRIC = frozenset(
    {
        *("bessel_ratio", "det", "digamma", "inv", "others", "scatter", "solve", "solve_matrix"),
    }
)
"""Operators whose ranges are the same negated."""

_BOUNDS: dict[str, Callable[[Interval], Interval]] = {
    "negated": lambda x: Interval.make(-x.upper, -x.lower),
    "too high below": lambda x: _shrunk(x, low=True),
    "too low above": lambda x: _shrunk(x, low=False),
}
