"""Large arrays in blocks: which steps are computed a part of an axis at a time, and in which loops.

A quantifier over 10^4 points has 5 * 10^7 pairs, and each step over them is an array of as many
elements, of which only a sum or a scatter is kept. Such steps make up a *region*: nodes that carry
one long axis, and whose users do too or fold it up. A loop goes over the axis block by block,
computes the region's elements of each block from parts of the arrays outside of it, and
combines what folds give; what keeps the axis and is not large is put together end to end. Where a
fold needs what another one has given, it has a loop of its own behind that one's, and computes
again what both read.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ebmlang.graph import EnergyGraph, Node
from ebmlang.graph.axes import Along, align_axes
from ebmlang.lang.table import OPERATORS

LARGEST = 1 << 19
"""Elements of one chain past which a step is computed in blocks; and those that a step of a block
has, over all chains: 2 MB in float32."""

_SUM = "{0} + {1}"

COMBINE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("sum", "mean", "dot", "matvec", "vecmat", "matmul", "scatter"), _SUM),
        "prod": "{0} * {1}",
        "min": "torch.minimum({0}, {1})",
        "max": "torch.maximum({0}, {1})",
        "norm": "torch.hypot({0}, {1})",
        "logsumexp": "k.logaddexp({0}, {1})",
        "noisy_or": "k.noisy_or(torch.stack(({0}, {1}), -1), -1)",
    }
)
"""By operator that folds an axis up: how what it gives for two blocks is put together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One way along an axis.

    Attributes:
        count: How many places the axis has.
        body: The steps of a block, each after its inputs; the folds among them.
        folds: The steps whose results are kept.
    """

    count: int
    body: tuple[int, ...]
    folds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """What is computed in blocks, and when.

    Attributes:
        axes: By node of a region, the axis that blocks are taken along, from the front.
        folded: By fold, the number that its operands share the axis by (see `Along`); for what
            is put together end to end, the axis.
        stages: The steps outside of loops, in their order, before the first loops, then between
            them.
        loops: The loops behind the steps of each stage.
    """

    axes: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    folded: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    stages: tuple[tuple[int, ...], ...] = ()
    loops: tuple[tuple[Loop, ...], ...] = ()

    def combine(self, node: Node, number: int) -> str:
        """Return how what a fold gives for two blocks is put together, as in `COMBINE`."""
        axis = self.folded[number]
        if axis < 0:
            return COMBINE[node.operator]
        return f"torch.cat(({{0}}, {{1}}), {axis - len(node.shape)})"

    def target(self, number: int) -> int:
        """Return what operands of a step in a loop have to run along to be read in blocks."""
        return self.axes[number] if number in self.axes else self.folded[number]


def plan_blocks(
    graph: EnergyGraph,
    order: Sequence[int],
    kept: Sequence[int],
    needs: Callable[[int], Sequence[int]],
    allowed: Callable[[int], bool],
) -> Blocking | None:
    """Return the loops over blocks; None where all arrays are small.

    Args:
        graph: The graph.
        order: The steps to compute, each after what it needs.
        kept: Those whose values are asked for.
        needs: Gives what a step needs: its inputs, and others that are read whole.
        allowed: Whether a step may be in a region.
    """
    large = {n for n in order if math.prod(graph.nodes[n].shape) > LARGEST and allowed(n)}
    if not large:
        return None
    axes = _find_axes(graph, order, large)
    folded = _settle(graph, order, set(kept), needs, axes)
    if not axes:
        return None
    return _schedule(graph, order, needs, axes, folded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A step of many elements that is computed in one piece.

    Attributes:
        number: The step.
        because: Why, in words.
    """

    number: int
    because: str


def describe_blocks(graph: EnergyGraph) -> tuple[tuple[Loop, ...], tuple[Whole, ...]]:
    """Return the loops that the roots of a graph take, and the steps that keep others out of them.

    Args:
        graph: A graph of a value and its gradient.
    """
    order = [number for number, varies in enumerate(graph.varying) if varies]
    kept = set(graph.roots.values())
    needs = [node.inputs for node in graph.nodes]
    plan = plan_blocks(graph, order, list(kept), lambda n: needs[n], lambda _: True)
    axes = {} if plan is None else plan.axes
    loops = () if plan is None else tuple(loop for loops in plan.loops for loop in loops)
    large = {n for n in order if math.prod(graph.nodes[n].shape) > LARGEST and n not in axes}
    able = _find_axes(graph, order, large | set(axes))
    whole = []
    for number in sorted(large):
        operator = graph.nodes[number].operator
        readers = [n for n in order if number in needs[n] and n not in axes]
        if operator == "variable" or (number in able and large.intersection(readers)):
            # The unknowns are there; and what is read by such a step has its reason from there.
            continue
        if number in kept:
            because = "it is asked for"
        elif number not in able:
            because = f"`{operator}` makes it of whole arrays"
        else:
            because = f"`{graph.nodes[readers[0]].operator}` reads it in one piece"
        whole.append(Whole(number=number, because=because))
    return loops, tuple(whole)


def _along(graph: EnergyGraph, number: int) -> tuple[Along, ...]:
    node = graph.nodes[number]
    if node.operator not in OPERATORS:
        return tuple((None,) * len(graph.nodes[i].shape) for i in node.inputs)
    return align_axes(node, [graph.nodes[i].shape for i in node.inputs])


def _find_axes(graph: EnergyGraph, order: Sequence[int], large: set[int]) -> dict[int, int]:
    """Return the axis of each large step that its operands have too; else its longest one."""
    axes: dict[int, int] = {}
    for number in order:
        if number not in large or graph.nodes[number].operator not in OPERATORS:
            continue
        node = graph.nodes[number]
        alongs = _along(graph, number)
        inherited = {
            along[axes[i]] for i, along in zip(node.inputs, alongs, strict=True) if i in axes
        }
        if not inherited:
            # An axis that is made out of whole operands cannot be made in parts.
            found = [
                axis
                for axis in range(len(node.shape))
                if node.operator == "expand" or any(axis in along for along in alongs)
            ]
            if found:
                axes[number] = max(found, key=lambda axis: node.shape[axis])
        elif len(inherited) == 1:
            (axis,) = inherited
            if axis is not None and axis >= 0:
                axes[number] = axis
    return axes


def _settle(
    graph: EnergyGraph,
    order: Sequence[int],
    kept: set[int],
    needs: Callable[[int], Sequence[int]],
    axes: dict[int, int],
) -> dict[int, int]:
    """Drop steps that somebody reads whole from `axes`; return the folds of the others."""
    users: dict[int, list[int]] = {}
    for number in order:
        for i in set(needs(number)):
            users.setdefault(i, []).append(number)
    folded: dict[int, int] = {}
    for number in reversed(order):
        if number not in axes:
            continue
        fine = number not in kept
        for user in users.get(number, []):
            fine = fine and _reads_in_blocks(graph, user, number, axes, folded)
        if not fine:
            del axes[number]
    return {
        user: label
        for user, label in folded.items()
        if any(i in axes for i in graph.nodes[user].inputs)
    }


def _reads_in_blocks(
    graph: EnergyGraph, user: int, number: int, axes: Mapping[int, int], folded: dict[int, int]
) -> bool:
    """Whether a step reads another one, of a region, place by place of its axis."""
    node = graph.nodes[user]
    if number not in node.inputs:
        return False
    for i, along in zip(node.inputs, _along(graph, user), strict=True):
        if i != number:
            continue
        label = along[axes[number]]
        if user in axes:
            if label != axes[user]:
                return False
            continue
        if label is None or (label < 0 and node.operator not in COMBINE):
            return False
        # What keeps the axis is put together end to end, where that takes little room.
        few = math.prod(node.shape) <= LARGEST
        if (label >= 0 and not few) or folded.setdefault(user, label) != label:
            return False
    return True


def _schedule(
    graph: EnergyGraph,
    order: Sequence[int],
    needs: Callable[[int], Sequence[int]],
    axes: Mapping[int, int],
    folded: Mapping[int, int],
) -> Blocking:
    # For steps outside of loops the stage they are computed at, for the others that of the loop.
    level: dict[int, int] = {}
    for number in order:
        level[number] = max(
            (level[i] + (i in folded) for i in needs(number) if i in level), default=0
        )
    count = 1 + max(level.values())
    outside = [n for n in order if n not in axes and n not in folded]
    loops: list[tuple[Loop, ...]] = []
    for stage in range(count):
        groups: dict[int, list[int]] = {}
        for number in order:
            if number in folded and level[number] == stage:
                groups.setdefault(_length(graph, number, axes), []).append(number)
        loops.append(
            tuple(
                Loop(count=length, body=_body(graph, order, folds, axes), folds=tuple(folds))
                for length, folds in groups.items()
            )
        )
    stages = tuple(tuple(n for n in outside if level[n] == stage) for stage in range(count))
    return Blocking(axes=axes, folded=folded, stages=stages, loops=tuple(loops))


def _length(graph: EnergyGraph, fold: int, axes: Mapping[int, int]) -> int:
    """Return how many places the axis has that a fold goes along."""
    source = next(i for i in graph.nodes[fold].inputs if i in axes)
    return graph.nodes[source].shape[axes[source]]


def _body(
    graph: EnergyGraph, order: Sequence[int], folds: Sequence[int], axes: Mapping[int, int]
) -> tuple[int, ...]:
    found = set(folds)
    waiting = list(folds)
    while waiting:
        for i in graph.nodes[waiting.pop()].inputs:
            if i in axes and i not in found:
                found.add(i)
                waiting.append(i)
    return tuple(number for number in order if number in found)


def width(nodes: Sequence[Node], loop: Loop) -> int:
    """Return how many elements the widest step of a loop has for each place of the axis."""
    sizes = [math.prod(nodes[n].shape) // loop.count for n in loop.body if n not in loop.folds]
    return max(1, *sizes)
