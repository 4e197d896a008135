"""Attempts to falsify each fact of an operator's record: every check yields what it refutes."""

import math
from collections.abc import Iterator

import numpy as np

from ebmlang.lang.behavior import enclose, find_section
from ebmlang.lang.facts import (
    Curvature,
    Envelope,
    Profile,
    Rules,
    SignOf,
    Slope,
    Smoothness,
)
from ebmlang.lang.operator import Family, Operator
from tests.lang.operands import (
    Array,
    draw_inside,
    draw_intervals,
    draw_numbers,
    draw_operands,
    draw_setting,
    evaluate,
)
from tests.lang.profile_claims import refute_profile

ROUNDING = 1e-12
"""What few roundings of float64 make of numbers, relative to the largest."""

HELD = {
    "pow": ((-12.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0), (0.5, 1.0, 2.0, math.e)),
    "div": ((), (-2.0, 0.0, 3.0)),
}
"""Numbers at which an operator with sections is held, by its operand that moves."""


def refute(record: Operator, rng: np.random.Generator) -> Iterator[str]:
    """Yield what one round of random operands refutes of an operator's facts."""
    facts = record.facts
    yield from refute_bounds(record, rng)
    if isinstance(facts, Profile):
        yield from refute_profile(facts, lambda x: evaluate(record, [x], {}), rng)
        return
    for check in (
        refute_slopes,
        refute_curvature,
        refute_linearity,
        refute_envelope,
        refute_smoothness,
        refute_poles,
    ):
        yield from check(record, facts, rng)
    yield from refute_sections(record, rng)


def refute_bounds(record: Operator, rng: np.random.Generator) -> Iterator[str]:
    """The range holds the values at random places of random intervals."""
    setting = draw_setting(record, rng, count=64)
    intervals = draw_intervals(record, draw_operands(record, setting, rng), setting, rng)
    found = enclose(record, intervals, setting.options)
    for _ in range(4):
        operands = draw_inside(intervals, setting, rng)
        value = evaluate(record, operands, setting.options)
        if value is None:
            continue
        # Elementwise ranges hold every rounded value; those of arrays the exact one.
        exact = record.family is Family.ELEMENTWISE
        slack = np.zeros(value.shape) if exact else ROUNDING * (_finite(value) + 1e-3)
        if isinstance(record.facts, Rules) and record.facts.sections:
            # At a pole there is no number, whatever is computed.
            value = np.where(np.isinf(value), np.nan, value)
        with np.errstate(invalid="ignore"):
            outside = (value < found.lower - slack) | (value > found.upper + slack)
        if np.any(outside & ~np.isnan(value)):
            place = tuple(int(i) for i in np.argwhere(outside)[0])
            yield (
                f"bounds: {value[place]!r} outside [{found.lower[place]!r}, {found.upper[place]!r}]"
                f" at {[np.asarray(x).tolist() for x in operands]}"
            )
            return


def _finite(x: Array) -> Array:
    """Return sizes for a tolerance; what is infinite needs none."""
    return np.where(np.isfinite(x), np.abs(x), 0.0)


def refute_slopes(record: Operator, rules: Rules, rng: np.random.Generator) -> Iterator[str]:
    """A value moves with an operand as its slope says."""
    setting = draw_setting(record, rng)
    operands = draw_operands(record, setting, rng)
    for position in range(len(operands)):
        slope = rules.slopes[min(position, len(rules.slopes) - 1)]
        sign = slope.value if isinstance(slope, Slope) else slope.factor
        if sign is None or position == setting.index:
            continue
        here = list(operands)
        if isinstance(slope, SignOf):
            # The operand that decides has one sign throughout.
            here[slope.operand] = np.abs(here[slope.operand]) * rng.choice([-1.0, 1.0])
            factor = np.max(np.sign(here[slope.operand]), initial=-1.0)
            if slope.operand != position:
                sign *= int(factor)
        raised = list(here)
        step = np.abs(draw_numbers(rng, here[position].shape))
        if position == setting.truth:
            raised[position] = np.ones_like(here[position])
        else:
            raised[position] = here[position] + step
        if position in rules.poles:
            here[position], raised[position] = np.abs(here[position]), np.abs(here[position]) + step
        if isinstance(slope, SignOf) and slope.operand == position:
            side = np.max(np.sign(here[position]), initial=-1.0)
            here[position] = np.abs(here[position])
            raised[position] = here[position] + step
            if side < 0:
                here[position], raised[position] = -raised[position], -here[position]
            sign = int(side) * slope.factor
        before = evaluate(record, here, setting.options)
        after = evaluate(record, raised, setting.options)
        if before is None or after is None:
            continue
        with np.errstate(invalid="ignore"):
            gain = sign * (after - before)
            slack = ROUNDING * (_finite(before) + _finite(after))
            falls = gain < -slack
        if np.any(falls & ~np.isnan(gain)):
            yield f"slope in operand {position}: from {before.tolist()} to {after.tolist()}"


def refute_curvature(record: Operator, rules: Rules, rng: np.random.Generator) -> Iterator[str]:
    """Between two places the value is on the side of the chord that the curvature says."""
    if rules.curvature is Curvature.UNKNOWN:
        return
    setting = draw_setting(record, rng)
    first, second = draw_operands(record, setting, rng), draw_operands(record, setting, rng)
    middle = []
    for position in range(len(first)):
        if setting.is_real(position):
            middle.append((first[position] + second[position]) / 2)
        else:
            second[position] = first[position]
            middle.append(first[position])
    values = [evaluate(record, x, setting.options) for x in (first, second, middle)]
    if any(value is None for value in values):
        return
    low, high, between = (value for value in values if value is not None)
    with np.errstate(invalid="ignore"):
        gap = (low + high) / 2 - between
        slack = ROUNDING * (_finite(low) + _finite(high) + _finite(between))
        wrong = {
            Curvature.CONVEX: gap < -slack,
            Curvature.CONCAVE: gap > slack,
            Curvature.AFFINE: np.abs(gap) > slack,
            Curvature.CONSTANT: np.abs(low - high) > slack,
        }[rules.curvature]
    if np.any(wrong & ~np.isnan(gap)):
        ends = f"{low.tolist()}, {high.tolist()}"
        yield f"curvature {rules.curvature.value}: {ends}: {between.tolist()}"


def refute_linearity(record: Operator, rules: Rules, rng: np.random.Generator) -> Iterator[str]:
    """In a linear group f(s x + t y) is s f(x) + t f(y)."""
    for group in rules.linear:
        setting = draw_setting(record, rng)
        first, second = draw_operands(record, setting, rng), draw_operands(record, setting, rng)
        s, t = rng.normal(size=2)
        mixed = list(first)
        for position in range(len(first)):
            last = position >= len(record.parameters) and group[-1] == len(record.parameters) - 1
            if position in group or last:
                mixed[position] = s * first[position] + t * second[position]
            else:
                second[position] = first[position]
        values = [evaluate(record, x, setting.options) for x in (first, second, mixed)]
        if any(value is None for value in values):
            continue
        x, y, both = (value for value in values if value is not None)
        with np.errstate(invalid="ignore"):
            error = np.abs(s * x + t * y - both)
            # Near singular systems amplify rounding.
            size = np.abs(s * x) + np.abs(t * y) + np.abs(both)
            slack = 1e-9 * (np.max(np.where(np.isfinite(size), size, 0.0), initial=0.0) + 1e-3)
        if np.any(error > slack):
            yield f"linear in {group}: {x.tolist()}, {y.tolist()}: {both.tolist()}"


def refute_envelope(record: Operator, rules: Rules, rng: np.random.Generator) -> Iterator[str]:
    """A reduction stays within the log of the number of elements of an extreme one."""
    if rules.envelope is None:
        return
    setting = draw_setting(record, rng)
    operands = draw_operands(record, setting, rng)
    value = evaluate(record, operands, setting.options)
    assert value is not None
    extreme = np.min if rules.envelope is Envelope.MIN else np.max
    if record.family is Family.REDUCTION:
        axes = setting.options["axes"]
        expected = extreme(operands[0], axis=axes)
        count = math.prod(operands[0].shape[axis] for axis in axes)
    else:
        expected, count = extreme(np.stack(operands), axis=0), len(operands)
    off = np.abs(value - expected)
    if np.any(off > math.log(count) + ROUNDING * (1 + np.abs(expected))):
        yield f"envelope {rules.envelope.value}: {expected.tolist()} and {value.tolist()}"


# --- smoothness ----------------------------------------------------------------------

_STEPS = (2.0**-20, 2.0**-24)
"""From the first to the second the difference of slopes on two sides stays, where a corner is."""


def refute_smoothness(record: Operator, rules: Rules, rng: np.random.Generator) -> Iterator[str]:
    """No corner or jump is there that the smoothness does not admit."""
    corner, jump = find_breaks(record, rng)
    if jump and rules.smoothness is not Smoothness.JUMPS:
        yield f"smoothness {rules.smoothness.value}: it jumps {jump}"
    if corner and rules.smoothness is Smoothness.SMOOTH:
        yield f"smoothness {rules.smoothness.value}: it has a corner {corner}"


def find_breaks(record: Operator, rng: np.random.Generator) -> tuple[str, str]:
    """Look for a corner and for a jump where operands are zero, tie, or are whole."""
    setting = draw_setting(record, rng)
    operands = draw_operands(record, setting, rng)
    for position, x in enumerate(operands):
        if position != setting.index and setting.is_real(position):
            operands[position] = np.where(np.abs(x) > 8, 1.0, x)
    if rng.random() < 0.3:
        operands = [np.zeros(x.shape, x.dtype) if x.dtype.kind == "f" else x for x in operands]
    corner = jump = ""
    for position, operand in enumerate(operands):
        if position == setting.index:
            continue
        x = operand.astype(np.float64)
        direction = rng.choice([-1.0, 0.0, 1.0], x.shape)
        bends, changes = [], []
        for step in _STEPS:
            values = []
            for shift in (-step, 0.0, step):
                moved = [*operands[:position], x + shift * direction, *operands[position + 1 :]]
                values.append(evaluate(record, moved, setting.options))
            left, here, right = (np.asarray(np.nan if v is None else v) for v in values)
            with np.errstate(invalid="ignore"):
                # To inf and back is a jump where that is what the operator is for.
                wall = np.isinf(left) | np.isinf(right) if record.name == "supported" else False
                tame = np.isfinite(left) & np.isfinite(right) & (np.abs(here) < 1e3)
                change = np.maximum(np.abs(right - here), np.abs(here - left))
                bend = np.abs(right - 2 * here + left) / step
            changes.append(np.where(wall & np.isfinite(here), np.inf, np.where(tame, change, 0.0)))
            bends.append(np.where(tame, bend, 0.0))
        if np.any((changes[1] > 0.1) & (changes[1] >= 0.5 * changes[0])):
            jump = f"in operand {position} at {[y.tolist() for y in operands]}"
        elif np.any((bends[1] > 0.5) & (bends[1] > 0.5 * bends[0])):
            corner = f"in operand {position} at {[y.tolist() for y in operands]}"
    return corner, jump


def refute_poles(record: Operator, rules: Rules, rng: np.random.Generator) -> Iterator[str]:
    """At a zero of an operand with a pole there is no number."""
    setting = draw_setting(record, rng)
    operands = draw_operands(record, setting, rng)
    for position in rules.poles:
        here = list(operands)
        here[position] = np.zeros_like(operands[position])
        value = evaluate(record, here, setting.options)
        assert value is not None
        if np.any(np.isfinite(value)):
            yield f"pole in operand {position}: {value.tolist()}"


def refute_sections(record: Operator, rng: np.random.Generator) -> Iterator[str]:
    """Held at a number, the operator has the profile of its section."""
    for position, numbers in enumerate(HELD.get(record.name, ())):
        for number in numbers:
            section = find_section(record, position, [number])
            if section is None:
                yield f"section in operand {position} at {number}: there is none"
                continue

            def function(x: Array, position: int = position, number: float = number) -> Array:
                held = np.full(np.shape(x), number)
                found = evaluate(record, [x, held] if position == 0 else [held, x], {})
                assert found is not None
                return found

            for refuted in refute_profile(section.profile, function, rng):
                yield f"section in operand {position} at {number}: {refuted}"


def refute_repeatedly(record: Operator, rng: np.random.Generator, rounds: int) -> str | None:
    """Return the first thing that any of several rounds refutes; breaks must be found in them."""
    missing = dict(_MUST_BREAK.get(getattr(record.facts, "smoothness", None), {}))
    for _ in range(rounds):
        for refuted in refute(record, rng):
            return refuted
        if missing:
            for kind, found in zip(("corner", "jump"), find_breaks(record, rng), strict=True):
                if found:
                    missing.pop(kind, None)
    return next(iter(missing.values()), None)


_MUST_BREAK = {
    Smoothness.TIES: {"corner": "smoothness ties: no corner was found"},
    Smoothness.JUMPS: {"jump": "smoothness jumps: no jump was found"},
}
