"""Whether points lie in the domains of their variables, in words."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang import DomainKind
from ebmlang.runs.explanation import Outside
from ebmlang.source import InternalError
from ebmlang.spaces import Layout
from ebmlang.spaces.domain import ConcreteDomain

ROUNDING = 1e-6
"""How far sums and lengths may be off: more than float32 leaves, less than anyone writes."""

Array = NDArray[np.float64]


def find_outside(layout: Layout, x: Array) -> tuple[Outside, ...]:
    """Return the variables that leave their domains, with the first reason of each.

    Args:
        layout: Where the points live.
        x: Packed points, `[point, dim]`.
    """
    found = []
    for block in layout.blocks:
        values = x[:, block.start : block.stop].reshape(len(x), *block.domain.shape)
        wrong, words = _judge(block.domain, values)
        points = wrong.reshape(len(x), -1).any(axis=1)
        if points.any():
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            place = f"[{', '.join(map(str, first[1:]))}]" if len(first) > 1 else ""
            found.append(
                Outside(
                    path=block.path,
                    reason=f"`{block.path}{place}` {words(first)}",
                    points=int(points.sum()),
                )
            )
    return tuple(found)


_Judgement: TypeAlias = tuple[NDArray[np.bool_], Callable[[tuple[int, ...]], str]]
"""Which elements are outside, and why the one at a place is."""


def _judge(domain: ConcreteDomain, values: Array) -> _Judgement:
    match domain.kind:
        case DomainKind.REAL:
            return _judge_bounds(domain, values)
        case DomainKind.POSITIVE:
            # Written so that what is not a number is outside.
            return ~np.asarray(values > 0), lambda at: f"is {values[at]:.6g}, and must be positive"
        case DomainKind.SIMPLEX:
            sums = values.sum(axis=-1)
            wrong: NDArray[np.bool_] = ~(
                (values >= -ROUNDING).all(axis=-1) & (abs(sums - 1) <= ROUNDING)
            )
            return (
                wrong,
                lambda at: (
                    f"sums to {sums[at]:.6g}, least element {values[at].min():.6g}: "
                    "a simplex has elements >= 0 that sum to 1"
                ),
            )
        case DomainKind.UNIT:
            lengths = np.linalg.norm(values, axis=-1)
            wrong = ~(abs(lengths - 1) <= ROUNDING)
            return wrong, lambda at: f"has length {lengths[at]:.6g}, and must have length 1"
        case DomainKind.ORDERED:
            wrong = ~np.asarray((np.diff(values, axis=-1) >= 0).all(axis=-1))
            return wrong, lambda at: f"is {values[at].tolist()}, and must be in rising order"
        case DomainKind.ROTATION:
            gram = np.swapaxes(values, -1, -2) @ values
            off = abs(gram - np.eye(values.shape[-1])).max(axis=(-1, -2))
            wrong = ~((off <= ROUNDING) & (np.linalg.det(values) > 0))
            return wrong, lambda _at: "is no rotation matrix"
        case _:
            # The layout has refused the others: they cannot be searched by gradients.
            raise InternalError(f"a point of the domain {domain.kind}")


def _judge_bounds(domain: ConcreteDomain, values: Array) -> _Judgement:
    assert domain.lower is not None
    assert domain.upper is not None
    lower, upper = domain.lower, domain.upper

    def words(at: tuple[int, ...]) -> str:
        value, place = values[at], at[1:]
        if np.isnan(value):
            return "is not a number"
        side, bound = ("below", lower[place]) if value < lower[place] else ("above", upper[place])
        name = "lower" if side == "below" else "upper"
        return f"is {value:.6g}, {side} its {name} bound {bound:g}"

    return ~((values >= lower) & (values <= upper)), words
