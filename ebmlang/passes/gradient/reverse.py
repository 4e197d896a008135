"""Reverse mode: from an output of a graph to its derivatives by the unknowns.

From the output backwards, each node hands its cotangent, times a slope, to its operands; where
one has several users their gifts add up. What is written are nodes of the same graph, with
operators of the same table, so derivatives can be differentiated again.

Where a choice keeps a branch from being used, no number that is not one may leak out of it: a
cotangent that leaves the branch is cut off once more (`passes.guards`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node, Root, RootKind
from ebmlang.graph.integrands import keep_roots
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.folding import fold_constants
from ebmlang.passes.gradient.algebra import Algebra
from ebmlang.passes.gradient.elementwise import ELEMENTWISE
from ebmlang.passes.gradient.products import PRODUCTS
from ebmlang.passes.gradient.recurrences import pull_recurrence
from ebmlang.passes.gradient.reductions import REDUCTIONS
from ebmlang.passes.gradient.rule import NoRuleError, Rule, Segment, Step
from ebmlang.passes.gradient.structure import STRUCTURE, assemble
from ebmlang.passes.guards import Guard, plan_guards
from ebmlang.passes.hoisting import hoist_steps
from ebmlang.passes.rewrite import Writer, with_bodies
from ebmlang.passes.sharing import share_steps
from ebmlang.passes.simplification import finish, join_products, simplify
from ebmlang.source import InternalError

RULES: Mapping[str, tuple[Rule | None, ...]] = MappingProxyType(
    {**ELEMENTWISE, **REDUCTIONS, **PRODUCTS, **STRUCTURE}
)
"""By operator, a rule for each operand; the last stands for all further ones."""

NO_RULE = frozenset({"extern", "trigamma"})
"""Operators that have none: a graph in which the output depends on an unknown through one of these
is left to autograd."""


def differentiate(graph: EnergyGraph, output: int) -> EnergyGraph:
    """Return the graph of an output and its derivatives by all variables, as short as it gets.

    Args:
        graph: A graph without constraints: one that has been through the passes.
        output: A node: a real scalar.

    Returns:
        A graph with the roots of `graph` that are the output, and a root GRADIENT for each
        variable: zeros where the output does not depend on it.

    Raises:
        NoRuleError: The output depends on a variable through a node that has no rule.
    """
    short = _shortened(sweep_back(graph, output), simplify)
    return join_products(_shortened(short, finish))


def sweep_back(graph: EnergyGraph, output: int, *, again: bool = False) -> EnergyGraph:
    """Return what `differentiate` does, not yet made short.

    Args:
        graph: As there.
        output: As there.
        again: Whether it will be differentiated again.
    """
    kept = {root: number for root, number in graph.roots.items() if number == output}
    mark = Root(RootKind.REPORT, "the output")
    graph = keep_roots(graph, {**kept, mark: output})
    # Before too: derivatives of what is short are short.
    graph = _shortened(hoist_steps(_shortened(graph, simplify)), simplify)
    output = graph.roots[mark]
    origin = graph.nodes[output].origin
    variables = {
        node.option("path"): number
        for number, node in enumerate(graph.nodes)
        if node.operator == "variable"
    }
    sweep = _Sweep(graph, frozenset(variables.values()), again=again)
    found = sweep.run(output, sweep.builder.constant(np.ones(()), origin))
    roots = {root: number for root, number in graph.roots.items() if root != mark}
    for variable in graph.variables:
        number = found.get(variables.get(variable.path, -1))
        if number is None:
            number = sweep.builder.constant(np.zeros(variable.shape), origin)
        roots[Root(RootKind.GRADIENT, variable.path)] = number
    return replace(graph, nodes=tuple(sweep.builder.nodes), roots=roots)


def _pull_body(
    body: EnergyGraph, cotangent: Node, indices: Collection[int], *, again: bool
) -> tuple[EnergyGraph, Mapping[int, int]]:
    """Return the derivatives of the body of a recurrence, as `recurrences.Pullback` says."""
    body = _shortened(hoist_steps(_shortened(body, simplify)), simplify)
    parameters = {
        number: node.option("index")
        for number, node in enumerate(body.nodes)
        if node.operator == "parameter" and node.option("index") in indices
    }
    sweep = _Sweep(body, frozenset(parameters), again=again)
    found = sweep.run(body.roots[Root(RootKind.NEXT)], sweep.builder.add(cotangent))
    roots = {
        Root(RootKind.GRADIENT, str(parameters[source])): number for source, number in found.items()
    }
    slopes = EnergyGraph(tuple(sweep.builder.nodes), roots)
    slopes = _shortened(slopes, simplify)
    return slopes, {int(root.path): number for root, number in slopes.roots.items()}


def _shortened(graph: EnergyGraph, rewrite: Callable[[EnergyGraph], EnergyGraph]) -> EnergyGraph:
    graph = with_bodies(graph, lambda body: _shortened(body, rewrite))
    graph = share_steps(rewrite(fold_constants(graph)))
    return keep_roots(graph, graph.roots)


class _Sweep:
    """The graph with what has been written behind it, and the cotangents so far."""

    def __init__(self, graph: EnergyGraph, sources: frozenset[int], *, again: bool) -> None:
        self.graph = graph
        self.again = again
        self.builder = GraphBuilder()
        for node in graph.nodes:
            self.builder.add(node)
        if len(self.builder.nodes) != len(graph.nodes):
            raise InternalError("a graph has each node once")
        self.sources = sources
        self.active = _active(graph, sources)
        self.guards = plan_guards(graph, graph.varying)
        self.sums: dict[int, list[int]] = {}
        self.segments: dict[int, list[Segment]] = {}

    def run(self, output: int, cotangent: int) -> dict[int, int]:
        """Return the cotangents of the sources that the output depends on, by their number."""
        graph = self.graph
        self.sums[output] = [cotangent]
        found: dict[int, int] = {}
        for number in range(output, -1, -1):
            node = graph.nodes[number]
            if not self.active[number]:
                continue
            f = Algebra(self.builder, node.origin, len(node.shape), self.again)
            total = self._total(f, number)
            if total is None:
                continue
            if number in self.sources:
                found[number] = f.full(total, node.shape)
            else:
                self._pull(f, number, total)
        return found

    def _pull(self, f: Algebra, number: int, g: int) -> None:
        """Hand the cotangent of a node to its operands."""
        node = self.graph.nodes[number]
        if node.operator == "scan":
            active = [place for place, i in enumerate(node.inputs) if self.active[i]]
            write = Writer(self.builder, node.origin)
            whole = f.full(g, node.shape)
            pull = partial(_pull_body, again=self.again)
            gains = pull_recurrence(write, whole, number, active, pull)
            for place, full in gains.items():
                self.sums.setdefault(node.inputs[place], []).append(full)
            return
        if node.operator not in RULES:
            raise NoRuleError(number, node.operator)
        rules = RULES[node.operator]
        step = Step(y=number, x=node.inputs, options=dict(node.options))
        family = OPERATORS[node.operator].family
        if family is Family.CORE:
            g = f.full(g, node.shape)
        for place, source in enumerate(node.inputs):
            rule = rules[min(place, len(rules) - 1)]
            if rule is None or not self.active[source]:
                continue
            gain = rule(f, g, step, place)
            if gain is None:
                continue
            guards = self.guards.get((number, place), ())
            if isinstance(gain, Segment):
                assert not guards, "only elementwise nodes are guarded"
                self.segments.setdefault(source, []).append(gain)
                continue
            for guard in guards:
                gain = self._cut_off(f, guard, gain, node.shape)
            shape = self.graph.nodes[source].shape
            gain = f.fit(gain, _whole(node, place, shape), shape)
            self.sums.setdefault(source, []).append(gain)

    def _cut_off(self, f: Algebra, guard: Guard, gain: int, shape: tuple[int, ...]) -> int:
        """Return what leaves a node of this shape in a branch, and 0 where the branch is not taken.

        What is repeated on its way to the choice is let through where any of its copies is taken.
        """
        choice = self.graph.nodes[guard.choice]
        mask = choice.inputs[0] if choice.operator == "where" else f.inside(*choice.inputs[:3])
        taken, wide = guard.taken, f.shape(mask)
        repeated = [i for i, size in enumerate(shape) if size == 1 != wide[i]]
        if repeated:
            one = f.number(1.0)
            flags = f.gate(mask, one, taken=taken)
            any_flag = f.apply("max", flags, axes=tuple(i - len(shape) for i in repeated))
            kept = [1 if i in repeated else size for i, size in enumerate(wide)]
            mask, taken = f("less_equal", one, f.reshape(any_flag, kept)), True
        return f.gate(mask, gain, taken=taken)

    def _total(self, f: Algebra, number: int) -> int | None:
        """Return the sum of what the users of a node have handed to it."""
        gains = self.sums.pop(number, [])
        shape = self.graph.nodes[number].shape
        by_axis: dict[int, list[Segment]] = {}
        for segment in self.segments.pop(number, []):
            by_axis.setdefault(segment.axis, []).append(segment)
        for group in by_axis.values():
            gains.extend(assemble(f, some, shape) for some in _layers(group))
        if not gains:
            return None
        total, *rest = gains
        for gain in rest:
            total = f("add", total, gain)
        return total


def _layers(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Split segments into groups in which none overlap: each group is one array."""
    layers: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (s.start, s.stop)):
        for layer in layers:
            last = layer[-1]
            same = (last.start, last.stop) == (segment.start, segment.stop)
            if last.stop <= segment.start or same:
                layer.append(segment)
                break
        else:
            layers.append([segment])
    return layers


def _whole(node: Node, place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that an operand was repeated to before it met the others."""
    record = OPERATORS[node.operator]
    if record.family is Family.ELEMENTWISE:
        return node.shape
    if record.family is Family.CORE:
        assert record.core is not None
        own = len(record.core.operands[place])
        loops = node.shape[: len(node.shape) - len(record.core.outcome)]
        return (*loops, *shape[len(shape) - own :])
    return shape


def _active(graph: EnergyGraph, sources: frozenset[int]) -> list[bool]:
    """Return which nodes have a derivative by some source."""
    active: list[bool] = []
    for number, node in enumerate(graph.nodes):
        real = node.kind is Kind.REAL
        active.append(real and (number in sources or any(active[i] for i in node.inputs)))
    return active
