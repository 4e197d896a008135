"""How an operator behaves over intervals of its operands, read off its facts.

This is all that an analysis asks of an operator; nothing here looks at its name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.facts import Profile, Rules, Slope
from ebmlang.lang.interval import Bound, Interval
from ebmlang.lang.operator import Family, Operator, Options
from ebmlang.lang.restriction import range_over


@dataclass(frozen=True, slots=True)
class Section:
    """An elementwise function of one number: an operator with its other operand held still."""

    profile: Profile
    evaluate: Callable[[Bound], NDArray[np.float64]]


def find_section(record: Operator, position: int, others: Sequence[float]) -> Section | None:
    """Return an elementwise operator as a function of one operand; None where none is known.

    Args:
        record: The operator.
        position: Of the operand that moves.
        others: The numbers that the other operands are, in order.

    >>> from ebmlang.lang.table import OPERATORS
    >>> find_section(OPERATORS["pow"], 0, [3.0]).profile.left.factor
    -1.0
    """
    facts = record.facts
    if isinstance(facts, Profile):
        return Section(facts, record.evaluate)
    profile_of = facts.sections[position] if facts.sections else None
    if profile_of is None or len(others) != 1:
        return None
    profile = profile_of(others[0])
    if profile is None:
        return None
    held = np.asarray(others[0])
    if position == 0:
        return Section(profile, lambda x: record.evaluate(x, held))
    return Section(profile, lambda x: record.evaluate(held, x))


def enclose(record: Operator, operands: Sequence[Interval], options: Options) -> Interval:
    """Return the range of an operator over operands that lie in intervals.

    >>> from ebmlang.lang.table import OPERATORS
    >>> float(enclose(OPERATORS["sqrt"], [Interval.make(-1.0, 4.0)], {}).lower)
    0.0
    """
    facts = record.facts
    chooses = isinstance(facts, Rules) and facts.chooses
    with np.errstate(all="ignore"):
        # What only moves elements moves those without a value too.
        if record.family is Family.STRUCTURAL or chooses:
            return _enclose(record, operands, options)
        if not any(x.empty.any() for x in operands):
            return _enclose(record, operands, options)
        filled = [
            Interval.make(np.where(x.empty, 0.0, x.lower), np.where(x.empty, 0.0, x.upper))
            for x in operands
        ]
        found = _enclose(record, filled, options)
        match record.family:
            case Family.ELEMENTWISE:
                missing = np.logical_or.reduce(np.broadcast_arrays(*(x.empty for x in operands)))
            case Family.REDUCTION:
                missing = np.any(operands[0].empty, axis=options["axes"])
            case Family.CORE:
                return Interval.everything(found.shape)
        return Interval.make(
            np.where(missing, np.inf, found.lower), np.where(missing, -np.inf, found.upper)
        )


def _enclose(record: Operator, operands: Sequence[Interval], options: Options) -> Interval:
    facts = record.facts
    if isinstance(facts, Profile):
        return range_over(facts, record.evaluate, operands[0])
    if facts.bounds is not None:
        return facts.bounds(*operands, **options)
    lower, upper = [], []
    for position, x in enumerate(operands):
        slope = facts.slopes[min(position, len(facts.slopes) - 1)]
        low, high = (x.upper, x.lower) if slope is Slope.FALLING else (x.lower, x.upper)
        lower.append(low)
        upper.append(high)
    return Interval.make(record.evaluate(*lower, **options), record.evaluate(*upper, **options))
