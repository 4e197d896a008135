"""The small algebra that rules of differentiation are written with: operators on node numbers.

Arrays are *lazy* along an axis where they have size 1 and what they stand for has more: a
cotangent that is the same along an axis stays small until something needs it in full.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ebmlang.graph import GraphBuilder, Node, Origin
from ebmlang.passes.rewrite import Writer


@dataclass(frozen=True, slots=True)
class Algebra:
    """Adds nodes for the derivative of one node.

    Attributes:
        builder: The graph under construction.
        origin: Where the differentiated node came from.
        rank: How many axes numbers get, so that they broadcast with its value.
        again: Whether what is written will be differentiated too.
    """

    builder: GraphBuilder
    origin: Origin
    rank: int
    again: bool = False

    def __call__(self, operator: str, *inputs: int) -> int:
        """Return the node of an operator without options."""
        return Writer(self.builder, self.origin).apply(operator, inputs)

    def apply(self, operator: str, *inputs: int, **options: object) -> int:
        """Return the node of an operator with options."""
        return Writer(self.builder, self.origin).apply(operator, inputs, options)

    def number(self, value: float) -> int:
        """Return a number that broadcasts with the node's value."""
        return self.array(np.full((1,) * self.rank, float(value)))

    def array(self, value: np.ndarray) -> int:
        """Return a constant."""
        return self.builder.constant(value, self.origin)

    def node(self, number: int) -> Node:
        """Return a node."""
        return self.builder.nodes[number]

    def shape(self, number: int) -> tuple[int, ...]:
        """Return the shape of a node."""
        return self.builder.nodes[number].shape

    # --- shapes ----------------------------------------------------------------------

    def reshape(self, number: int, shape: Sequence[int]) -> int:
        """Return the same elements under another shape."""
        return Writer(self.builder, self.origin).reshape(number, tuple(shape))

    def lift(self, number: int, rank: int) -> int:
        """Put size-1 axes in front up to a rank."""
        shape = self.shape(number)
        return self.reshape(number, (*(1,) * (rank - len(shape)), *shape))

    def insert(self, number: int, *axes: int) -> int:
        """Put size-1 axes in, at negative places of the result."""
        shape = list(self.shape(number))
        rank = len(shape) + len(axes)
        for place in sorted(rank + axis for axis in axes):
            shape.insert(place, 1)
        return self.reshape(number, shape)

    def full(self, number: int, shape: Sequence[int]) -> int:
        """Return an array in its full shape."""
        if self.shape(number) == tuple(shape):
            return number
        return self.apply("expand", number, shape=tuple(shape))

    def transpose(self, number: int) -> int:
        """Return a matrix with rows and columns exchanged."""
        return self("transpose", number)

    def fit(self, number: int, whole: Sequence[int], shape: Sequence[int]) -> int:
        """Sum an array over the axes along which an operand was repeated.

        Args:
            number: The array; it may be lazy.
            whole: What it stands for.
            shape: The operand's.

        Returns:
            An array that stands for one of the operand's shape and has its rank.
        """
        if tuple(whole) == tuple(shape):
            return number
        number = self.lift(number, len(whole))
        found = self.shape(number)
        target = (*(1,) * (len(whole) - len(shape)), *shape)
        repeated = [i for i, (w, t) in enumerate(zip(whole, target, strict=True)) if t == 1 != w]
        summed = tuple(i - len(whole) for i in repeated if found[i] != 1)
        factor = math.prod(whole[i] for i in repeated if found[i] == 1)
        if summed:
            number = self.apply("sum", number, axes=summed)
        kept = tuple(1 if i - len(whole) in summed else d for i, d in enumerate(found))
        number = self.reshape(number, kept[len(whole) - len(shape) :])
        if factor != 1:
            number = self("mul", number, self.array(np.full((1,) * len(shape), float(factor))))
        return number

    # --- choices ---------------------------------------------------------------------

    def gate(self, condition: int, value: int, *, taken: bool = True) -> int:
        """Return the value where the condition is `taken`, else 0."""
        nothing = self.array(np.zeros((1,) * len(self.shape(value))))
        chosen = (value, nothing) if taken else (nothing, value)
        return self("where", condition, *chosen)

    def where_zero(self, probe: int, value: int) -> int:
        """Return 0 where a number that is never negative is 0, else the value."""
        nothing = self.array(np.zeros((1,) * len(self.shape(value))))
        at_zero = self("less_equal", probe, self.array(np.zeros((1,) * len(self.shape(probe)))))
        return self("where", at_zero, nothing, value)

    def inside(self, x: int, lower: int, upper: int) -> int:
        """Whether lower <= x <= upper."""
        no = self.array(np.zeros((1,) * len(self.shape(x)), dtype=bool))
        return self("where", self("less_equal", lower, x), self("less_equal", x, upper), no)
