"""Sums as expressions: each adds to what is there, in place once that is a new array.

What is taken along by the call that adds it (`analysis.sums`) has no statement of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ebmlang.analysis.sums import MATRICES, Addend, Sum
from ebmlang.graph import EnergyGraph
from ebmlang.lower.site import Operand, widen


@dataclass(frozen=True, slots=True, kw_only=True)
class SumWriter:
    """Writes sums of a graph.

    Attributes:
        graph: It.
        operand: Returns a node that has an expression.
        before: Returns the expression that something fixed has in `prepare`.
        prepare: Returns the expression, behind `prepare`, of one in it.
    """

    graph: EnergyGraph
    operand: Callable[[int], Operand]
    before: Callable[[int], str]
    prepare: Callable[[str], str]

    def write(self, number: int, whole: Sum) -> list[str]:
        """Return the calls that a sum takes, each with `{}` for what the one before it gave."""
        rank = len(self.graph.nodes[number].shape)
        addends = list(whole.addends)
        if whole.offsets:
            start = self._offset(whole.offsets)
        else:
            start = self._wide(addends.pop(0).number, rank)
        # What is added to may be read elsewhere, or be smaller: the first call makes a new array.
        own, *others = (self._call(addend, rank) for addend in addends)
        first = f"torch.{own[0]}({start}, {own[1]})"
        return [first, *(f"{{}}.{name}_({operands})" for name, operands in others)]

    def _offset(self, offsets: Sequence[Addend]) -> str:
        signed = (("-" if o.negative else "+", self.before(o.number)) for o in offsets)
        if len(offsets) == 1 and not offsets[0].negative:
            return self.operand(offsets[0].number).text
        return self.prepare(" ".join(f"{sign} {text}" for sign, text in signed).removeprefix("+ "))

    def _wide(self, number: int, rank: int) -> str:
        own = self.operand(number)
        return widen(own, rank - len(own.shape)).text

    def _call(self, addend: Addend, rank: int) -> tuple[str, str]:
        """Return the name of the call that adds a node, and what it reads besides the sum."""
        node = self.graph.nodes[addend.number]
        if not addend.is_taken:
            return ("sub" if addend.negative else "add"), self._wide(addend.number, rank)
        if node.operator in MATRICES:
            name, x, fixed = self._product(addend.number)
            return name, f"{x}, {fixed}{', alpha=-1' if addend.negative else ''}"
        operands = [self._wide(i, rank) for i in node.inputs]
        if node.operator == "square":
            operands *= 2
        name = "addcdiv" if node.operator == "div" else "addcmul"
        return name, f"{', '.join(operands)}{', value=-1' if addend.negative else ''}"

    def _product(self, number: int) -> tuple[str, str, str]:
        """Return the call, the vectors and what is fixed of a product that all chains share."""
        node = self.graph.nodes[number]
        varying = self.graph.varying
        (x,) = (i for i in node.inputs if varying[i])
        (fixed,) = (i for i in node.inputs if not varying[i])
        text = self.operand(fixed).text
        if node.operator == "matvec":
            text = self.prepare(f"{self.before(fixed)}.T")
        return ("addmv" if node.operator == "dot" else "addmm"), self.operand(x).text, text
