"""All steps of a recurrence at once: its body, written with the steps as an axis in front.

    scan s = a over e in es: f(s, e)     what f makes of e alone:     g(e)
                                         along an axis of the steps:  g(es)

What differs from step to step gets the axis; what does not is written as it is. No step sees
another, so this is for the part of a body that its state does not enter, and for all of it where
the states are known already.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Node, Root, RootKind
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.rewrite import Writer


@dataclass(frozen=True, slots=True)
class Lifted:
    """What stands for a node of a body.

    Attributes:
        number: The node that has its value.
        along: Whether that has the steps as its first axis; else it is the same at all steps.
    """

    number: int
    along: bool


class Lifting:
    """Writes nodes of a body for all steps at once.

    Attributes:
        body: The body.
        builder: The graph that they are written into.
        steps: How many steps there are.
        known: What nodes of the body have become.
    """

    def __init__(
        self,
        body: EnergyGraph,
        builder: GraphBuilder,
        steps: int,
        parameters: Mapping[int, Lifted],
    ) -> None:
        """Start with what parameters are, by their index."""
        self.body = body
        self.builder = builder
        self.steps = steps
        self.known: dict[int, Lifted] = {}
        for index, lifted in parameters.items():
            self.know(index, lifted)

    def know(self, index: int, lifted: Lifted) -> None:
        """Take in what the parameter of an index is."""
        for number, node in enumerate(self.body.nodes):
            if node.operator == "parameter" and node.option("index") == index:
                self.known[number] = lifted

    def lift(self, numbers: Iterable[int]) -> list[Lifted]:
        """Return what stands for nodes of the body, writing it where it is not there yet."""
        asked = list(numbers)
        needed: set[int] = set()
        waiting = list(asked)
        while waiting:
            number = waiting.pop()
            if number not in self.known and number not in needed:
                needed.add(number)
                waiting.extend(self.body.nodes[number].inputs)
        for number in sorted(needed):
            node = self.body.nodes[number]
            operands = [self.known[i] for i in node.inputs]
            self.known[number] = self._written(node, operands)
        return [self.known[number] for number in asked]

    def along(self, lifted: Lifted, node: Node) -> int:
        """Return the value of a node of the body with the steps in front, in full."""
        if lifted.along:
            return lifted.number
        write = Writer(self.builder, node.origin)
        one = write.reshape(lifted.number, (1, *node.shape))
        return write.apply("expand", (one,), {"shape": (self.steps, *node.shape)})

    # --- by operator -----------------------------------------------------------------

    def _written(self, node: Node, operands: Sequence[Lifted]) -> Lifted:
        if not any(operand.along for operand in operands):
            return Lifted(
                self.builder.add(node.reading(tuple(o.number for o in operands))), along=False
            )
        return Lifted(self._apart(node, operands), along=True)

    def _apart(self, node: Node, operands: Sequence[Lifted]) -> int:
        """Return a node whose operands differ from step to step."""
        write = Writer(self.builder, node.origin)
        options = dict(node.options)
        if node.operator == "scan":
            return self._scan(node, operands)
        if node.operator == "extern":
            full = tuple(self._whole(node, operands))
            return self.builder.add(replace(node, inputs=full, shape=(self.steps, *node.shape)))
        record = OPERATORS[node.operator]
        match record.family:
            case Family.ELEMENTWISE:
                inputs = self._lined_up(write, operands, len(node.shape), [0] * len(operands))
            case Family.CORE:
                assert record.core is not None
                loops = len(node.shape) - len(record.core.outcome)
                own = [len(names) for names in record.core.operands]
                inputs = self._lined_up(write, operands, loops, own, shared=False)
            case Family.STRUCTURAL if node.operator in ("stack", "concat"):
                inputs = self._whole(node, operands)
            case Family.STRUCTURAL if node.operator == "expand":
                inputs = self._lined_up(write, operands, len(node.shape), [0])
                options["shape"] = (self.steps, *node.shape)
            case Family.STRUCTURAL if node.operator == "gather":
                rank = options["rank"]
                loops = len(node.shape) - rank
                inputs = self._lined_up(write, operands, loops, [rank + 1, 0], shared=False)
            case Family.STRUCTURAL if node.operator == "take" and operands[1].along:
                return self._take(write, operands, options["axis"])
            case Family.STRUCTURAL if node.operator == "scatter" and operands[1].along:
                return self._scatter(write, node, operands)
            case _:
                inputs = [operand.number for operand in operands]
        return write.apply(node.operator, inputs, options)

    def _lined_up(
        self,
        write: Writer,
        operands: Sequence[Lifted],
        loops: int,
        own: Sequence[int],
        *,
        shared: bool = True,
    ) -> list[int]:
        """Put size-1 axes behind the steps, so that all operands have as many that broadcast.

        Args:
            write: Writes.
            operands: The operands.
            loops: How many axes that broadcast there are without the steps.
            own: How many last axes of each do not broadcast.
            shared: Whether what is the same at all steps gets as many axes too.
        """
        result = []
        for operand, rank in zip(operands, own, strict=True):
            if not (operand.along or shared):
                result.append(operand.number)
                continue
            shape = self._shape(operand)
            lead = self.steps if operand.along else 1
            missing = (1,) * (loops - len(shape) + rank)
            result.append(write.reshape(operand.number, (lead, *missing, *shape)))
        return result

    def _shape(self, operand: Lifted) -> tuple[int, ...]:
        """Return the shape of an operand at one step."""
        shape = self.builder.nodes[operand.number].shape
        return shape[1:] if operand.along else shape

    def _whole(self, node: Node, operands: Sequence[Lifted]) -> list[int]:
        inner = [self.body.nodes[i] for i in node.inputs]
        return [self.along(o, one) for o, one in zip(operands, inner, strict=True)]

    def _take(self, write: Writer, operands: Sequence[Lifted], axis: int) -> int:
        """Return elements at places of each step's own."""
        x, index = operands
        shape, places = self._shape(x), self._shape(index)
        before = len(shape) + axis
        lead = self.steps if x.along else 1
        wide = (lead, *shape[:before], *(1,) * len(places), *shape[before:])
        spread = write.reshape(x.number, wide)
        chosen = write.reshape(index.number, (self.steps, *(1,) * before, *places))
        return write.apply("gather", (spread, chosen), {"rank": -axis - 1})

    def _scatter(self, write: Writer, node: Node, operands: Sequence[Lifted]) -> int:
        """Return elements added up at places of each step's own: each place looks for its own."""
        x, index = operands
        axis, size = node.option("axis"), node.option("size")
        shape, places = self._shape(x), self._shape(index)
        behind = (1,) * (-axis - 1)
        before = len(shape) - len(behind) - len(places)
        lead = self.steps if x.along else 1
        split = before + len(places)
        values = write.reshape(x.number, (lead, *shape[:split], 1, *shape[split:]))
        wanted = write.reshape(index.number, (self.steps, *(1,) * before, *places, 1, *behind))
        rank = len(shape) + 2
        own = np.arange(size).reshape((*(1,) * (split + 1), size, *behind))
        gap = write("abs", write("sub", self.builder.constant(own, node.origin), wanted))
        zeros = [np.zeros((1,) * rank, dtype) for dtype in (np.int64, np.float64)]
        nothing, zero = (self.builder.constant(array, node.origin) for array in zeros)
        chosen = write("where", write("less_equal", gap, nothing), values, zero)
        if not places:
            return chosen
        axes = tuple(range(before + 1 - rank, split + 1 - rank))
        return write.apply("sum", (chosen,), {"axes": axes})

    def _scan(self, node: Node, operands: Sequence[Lifted]) -> int:
        """Return a recurrence inside the body: its own body gets the axis too."""
        body: EnergyGraph = node.option("body")
        builder = GraphBuilder()
        inner = [self.body.nodes[i] for i in node.inputs]
        start = Lifted(self.along(operands[0], inner[0]), along=True)
        ready = [start, *operands[1:]]
        parameters = {
            one.option("index"): Lifted(
                builder.add(_widened(one, self.steps, along=ready[one.option("index")].along)),
                along=ready[one.option("index")].along,
            )
            for one in body.nodes
            if one.operator == "parameter"
        }
        lifting = Lifting(body, builder, self.steps, parameters)
        result = body.roots[Root(RootKind.NEXT)]
        (found,) = lifting.lift([result])
        after = lifting.along(found, body.nodes[result])
        lifted = EnergyGraph(tuple(builder.nodes), {Root(RootKind.NEXT): after})
        options = {**dict(node.options), "body": lifted}
        return self.builder.add(
            replace(
                node,
                inputs=tuple(operand.number for operand in ready),
                options=tuple(sorted(options.items())),
                shape=(self.steps, *node.shape),
            )
        )


def _widened(node: Node, steps: int, *, along: bool) -> Node:
    return replace(node, shape=(steps, *node.shape)) if along else node
