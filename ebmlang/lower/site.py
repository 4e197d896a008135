"""A node about to be written: its operands as text, with what is known about each.

The rules that write code (`kernels`, `structure`) see nothing else of the graph. One thing they all
rely on: an operand that varies has one more axis in front when the code runs, the chain axis.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph import Kind, Node


class BlockSize(int):
    """The size of an axis that is gone along in blocks; at run time that of a block, `size`."""

    def __str__(self) -> str:
        return "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """An input of a node.

    Attributes:
        write: Gives an expression for it; asked only where the code reads it, since a constant
            takes no place before.
        shape: Its shape in the graph, without the chain axis.
        kind: What its elements are.
        varying: Whether it has a chain axis.
        constant: Its value, if that is known now. Any: float64, int64 or bool.
        source: What it is the same elements of, in the same order, under another shape.
        before: Gives an expression for what a form makes of it before the first point, where `{}`
            stands for it; None where it is not known then.
    """

    write: Callable[[], str]
    shape: tuple[int, ...]
    kind: Kind
    varying: bool
    constant: NDArray[Any] | None = None
    source: "Operand | None" = None
    before: Callable[[str], str] | None = None

    @property
    def text(self) -> str:
        """Its expression."""
        return self.write()

    def inside(self, form: str, **changes: Any) -> "Operand":
        """Return what `form` makes of it, where `{}` stands for it. Any: fields of this class."""
        made = {"source": None, "before": None, **changes}
        return replace(self, write=lambda: form.format(self.text), **made)

    def under(self, shape: tuple[int, ...]) -> str:
        """Return an expression for its elements under another shape; it varies."""
        found: Operand | None = self
        while found is not None:
            if found.shape == shape:
                return found.text
            found = found.source
        return f"{self.text}.reshape({show_shape(shape, varying=True)})"

    @property
    def number(self) -> float | int | None:
        """Its value, if it is a single number known now."""
        if self.constant is None or self.constant.size != 1 or self.kind is Kind.BOOL:
            return None
        return self.constant.reshape(-1).tolist()[0]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A node, its operands, and whether its value has a chain axis.

    Attributes:
        node: The node.
        operands: Its operands.
        varying: Whether its value has a chain axis.
        by_autograd: Whether autograd may differentiate what is written.
        constant: Gives the expression of an array of reals.
    """

    node: Node
    operands: tuple[Operand, ...]
    varying: bool
    by_autograd: bool
    constant: Callable[[NDArray[np.float64]], str]

    def option(self, name: str) -> Any:
        """Return an option of the node."""
        return self.node.option(name)

    @property
    def shape(self) -> str:
        """The shape at run time, as text between brackets."""
        return show_shape(self.node.shape, varying=self.varying)

    def real(self) -> "Site":
        """Return the site with whole numbers turned real where the node's value is real.

        Without this torch would give its default dtype, whatever the model's is.
        """
        if self.node.kind is not Kind.REAL:
            return self
        return replace(self, operands=tuple(as_real(operand) for operand in self.operands))

    def lined_up(self, own_ranks: Iterable[int]) -> "Site":
        """Return the site with size-1 axes behind the chain axis of operands with fewer axes.

        Args:
            own_ranks: How many last axes of each operand do not broadcast.
        """
        ranks = tuple(own_ranks)
        loops = [len(o.shape) - r for o, r in zip(self.operands, ranks, strict=True)]
        most = max(loops, default=0)
        pairs = zip(self.operands, loops, strict=True)
        return replace(self, operands=tuple(widen(o, most - loop) for o, loop in pairs))


def show_shape(shape: tuple[int, ...], *, varying: bool) -> str:
    """Return a run-time shape as text between brackets.

    >>> show_shape((2, 3), varying=True)
    '(chains, 2, 3)'
    """
    parts = [*(["chains"] if varying else []), *(str(dim) for dim in shape)]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def as_real(operand: Operand) -> Operand:
    """Return a whole number as a real of the model's dtype; anything else as it is."""
    if operand.kind is not Kind.INT:
        return operand
    constant = None if operand.constant is None else operand.constant.astype(float)
    return operand.inside("{}.to(real)", kind=Kind.REAL, constant=constant)


def widen(operand: Operand, missing: int) -> Operand:
    """Put size-1 axes between the chain axis and the others; without one, broadcasting does."""
    if missing <= 0 or not operand.varying:
        return operand
    shape = (*(1,) * missing, *operand.shape)
    return operand.inside(f"{{}}.reshape({show_shape(shape, varying=True)})", shape=shape)


def spread(operand: Operand) -> Operand:
    """Repeat an operand without a chain axis along one."""
    if operand.varying:
        return operand
    return operand.inside(f"{{}}.expand({show_shape(operand.shape, varying=True)})", varying=True)


def show_axes(axes: tuple[int, ...]) -> str:
    """Return one axis as a number, several as a tuple."""
    return str(axes[0]) if len(axes) == 1 else str(tuple(axes))


def show_number(value: float | int) -> str:
    """Return a number as it may stand next to any sign.

    >>> show_number(-2.0)
    '(-2.0)'
    """
    text = repr(value)
    return f"({text})" if text.startswith("-") else text
