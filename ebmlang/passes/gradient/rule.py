"""What a rule of differentiation is: from the cotangent of a value to that of an operand.

The cotangent of a node is the derivative of the output by it. A rule gets the cotangent of a
node's value, and returns what one operand's cotangent gains by it: an array, a `Segment` where that
is zero but for a run of elements, or None where the slope is 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ebmlang.passes.gradient.algebra import Algebra


class NoRuleError(Exception):
    """A node on the way to the output has no derivative as a graph: an `extern`."""

    def __init__(self, number: int, operator: str) -> None:
        super().__init__(f"no rule for node {number}, {operator}")
        self.number = number
        self.operator = operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A differentiated node.

    Attributes:
        y: Its number.
        x: The numbers of its operands.
        options: Its options. Any: as `Options` says.
    """

    y: int
    x: tuple[int, ...]
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """An array that is zero outside of `start` up to `stop` of an axis, and `value` inside."""

    axis: int
    start: int
    stop: int
    value: int


Gain: TypeAlias = int | Segment | None

Rule: TypeAlias = Callable[[Algebra, int, Step, int], Gain]
"""From the algebra, the cotangent, the node and the place of the operand."""

Formula: TypeAlias = Callable[..., int]
"""From the algebra, the cotangent, the value and the operands."""


def by_formula(formula: Formula) -> Rule:
    """Return a formula of algebra, cotangent, value and operands as a rule."""
    return lambda f, g, step, _: formula(f, g, step.y, *step.x)
