"""Nodes to statements: one frame writes the nodes of one graph, in an order of need.

The model is one frame per function; the body of each recurrence is a frame inside it, written
where the loop stands, so that the whole stays one straight line.
"""

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.sums import Sum, find_sums
from ebmlang.graph import Constant, EnergyGraph, Node, Root, RootKind
from ebmlang.graph.axes import align_axes
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.blocking import Blocking, Loop, plan_blocks, width
from ebmlang.lower.expression import write_operator
from ebmlang.lower.site import BlockSize, Operand, Site, show_shape, spread, widen
from ebmlang.lower.sums import SumWriter
from ebmlang.passes.guards import Edge, Guard, mask_inputs, plan_guards

LINE_LENGTH = 96
_TIE = "\N{NO-BREAK SPACE}"
_LEAVES = ("constant", "given", "weight")


@dataclass(slots=True)
class Inputs:
    """What all functions of one program share: the places of constants, data and prepared values.

    Attributes:
        givens, weights: Path to place.
        constants: Value to place.
        externs: Name of a function from Python to place.
        prepared: What `prepare` returns: its expression there, to its place.
        preparing: Numbers of the nodes that `prepare` has to compute.
    """

    givens: Mapping[str, int]
    weights: Mapping[str, int]
    constants: dict[Constant, int] = field(default_factory=dict)
    externs: dict[str, int] = field(default_factory=dict)
    prepared: dict[str, int] = field(default_factory=dict)
    preparing: dict[int, None] = field(default_factory=dict)

    def leaf(self, node: Node) -> str:
        """Return the expression of a constant, a given or a weight."""
        match node.operator:
            case "constant":
                places = self.constants
                return f"c[{places.setdefault(node.option('value'), len(places))}]"
            case "given":
                return f"g[{self.givens[node.option('path')]}]"
            case _:
                return f"w[{self.weights[node.option('path')]}]"

    def prepare(self, text: str) -> str:
        """Return the expression, behind `prepare`, of what has the expression `text` in it."""
        return f"p[{self.prepared.setdefault(text, len(self.prepared))}]"


@dataclass(slots=True)
class Lines:
    """The lines of one function, with a comment wherever the term changes."""

    lines: list[str] = field(default_factory=list)
    indent: str = "    "
    path: str = ""

    def add(self, text: str) -> None:
        """Add one statement, broken inside its brackets where it is too long."""
        broken = textwrap.wrap(
            _tied(text),
            LINE_LENGTH,
            initial_indent=self.indent,
            subsequent_indent=self.indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        self.lines.extend(line.replace(_TIE, " ") for line in broken)

    def about(self, path: str) -> None:
        """Say which term the next statements are for."""
        if path and path != self.path:
            self.lines.append(f"{self.indent}# {show_path(path)}")
            self.path = path


def _tied(text: str) -> str:
    """Return a statement whose spaces outside of brackets, where none can be broken, are ties."""
    depth, tied = 0, []
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        tied.append(_TIE if character == " " and depth == 0 else character)
    return "".join(tied)


def show_path(path: str) -> str:
    """Return a path in a form that cannot end a comment."""
    return re.sub(r"[^\w.\[\]]", "?", path)


@dataclass(slots=True)
class Frame:
    """The writing of one graph's nodes.

    Attributes:
        graph: The graph.
        inputs: Places shared by all functions.
        out: Where statements go.
        varying: For each node, whether it has a chain axis.
        prefix: What names of values begin with.
        names: Expressions of nodes that have one already.
        behind_prepare: Whether values that do not vary come from `prepare`.
        inside: Whether the graph is the body of a recurrence.
        checks: Nodes to hand to `check` once computed, with the places of their roots.
        late: Nodes that are written when they are first read: the same elements under another
            shape, which a reader may take from where they come from.
        guards: What `plan_guards` says of the graph.
        by_autograd: Whether autograd may differentiate what is written.
        joins_sums: Whether sums are written in as few calls as they take.
    """

    graph: EnergyGraph
    inputs: Inputs
    out: Lines
    varying: Sequence[bool]
    guards: Mapping[Edge, tuple[Guard, ...]]
    by_autograd: bool = True
    joins_sums: bool = False
    prefix: str = "v"
    names: dict[int, str] = field(default_factory=dict)
    behind_prepare: bool = True
    inside: bool = False
    checks: Mapping[int, Sequence[int]] = field(default_factory=dict)
    late: frozenset[int] = frozenset()

    def operand(self, number: int) -> Operand:
        """Return a node that has an expression, as an operand."""
        node = self.graph.nodes[number]
        constant = node.option("value").array if node.operator == "constant" else None
        fixed = not self.varying[number] and self.behind_prepare and not self.inside
        known = number not in self.names
        return Operand(
            write=lambda: self._text(number),
            shape=node.shape,
            kind=node.kind,
            varying=self.varying[number],
            constant=constant,
            source=self.operand(node.inputs[0]) if number in self.late else None,
            before=(lambda form: self.inputs.prepare(form.format(self._before(number))))
            if fixed and known
            else None,
        )

    def _text(self, number: int) -> str:
        if number in self.late and number not in self.names:
            self._write_node(number)
        if number in self.names:
            return self.names[number]
        node = self.graph.nodes[number]
        if node.operator in _LEAVES:
            leaf = self.inputs.leaf(node)
            return self.inputs.prepare(leaf) if self.behind_prepare else leaf
        assert self._is_prepared(number)
        return self.inputs.prepare(self._before(number))

    def _before(self, number: int) -> str:
        """Return the expression that something fixed has in `prepare`."""
        node = self.graph.nodes[number]
        if node.operator in _LEAVES:
            return self.inputs.leaf(node)
        self.inputs.preparing.setdefault(number)
        return f"v{number}"

    def _constant(self, array: NDArray[np.float64]) -> str:
        places = self.inputs.constants
        text = f"c[{places.setdefault(Constant(array), len(places))}]"
        return self.inputs.prepare(text) if self.behind_prepare else text

    def _is_prepared(self, number: int) -> bool:
        return self.behind_prepare and not self.inside and not self.varying[number]

    # --- order -----------------------------------------------------------------------

    def write(self, roots: Iterable[int]) -> None:
        """Write all statements that these nodes need."""
        wanted = list(roots)
        order = self.order(wanted)
        blocking = self.plan(order, wanted)
        if blocking is None:
            self._write_in_order(order)
            return
        for stage, loops in zip(blocking.stages, blocking.loops, strict=True):
            for number in stage:
                self._write_node(number)
            for loop in loops:
                self._write_blocks(blocking, loop)

    def _write_in_order(self, order: Sequence[int]) -> None:
        if not self.joins_sums:
            for number in order:
                self._write_node(number)
            return
        sums = find_sums(self.graph)
        self.late = frozenset(
            n for n in order if self.graph.nodes[n].operator == "reshape" and self.varying[n]
        )
        for number in order:
            if number in sums.by_node:
                self._write_sum(number, sums.by_node[number])
            elif number not in sums.inner and number not in self.late:
                self._write_node(number)

    def plan(self, order: Sequence[int], wanted: Sequence[int]) -> Blocking | None:
        """Return which of these nodes are computed in blocks."""
        guarded = {number for number, _ in self.guards}

        def allowed(number: int) -> bool:
            return self.varying[number] and number not in guarded and number not in self.checks

        return None if self.inside else plan_blocks(self.graph, order, wanted, self.needs, allowed)

    def order(self, roots: Iterable[int]) -> list[int]:
        """Return the nodes to compute for `roots`, each after what it needs."""
        order: dict[int, None] = {}
        waiting = [(number, False) for number in reversed(list(roots))]
        while waiting:
            number, ready = waiting.pop()
            if number in order or self._is_known(number):
                continue
            if ready:
                order[number] = None
                continue
            waiting.append((number, True))
            waiting.extend((needed, False) for needed in reversed(self.needs(number)))
        return list(order)

    def needs(self, number: int) -> list[int]:
        """Return the inputs of a node and of the masks that guard its gradients."""
        node = self.graph.nodes[number]
        masks = [
            mask
            for place in range(len(node.inputs))
            for guard in self.guards.get((number, place), ())
            for mask in mask_inputs(self.graph, guard)
        ]
        return [*masks, *node.inputs]

    def _is_known(self, number: int) -> bool:
        node = self.graph.nodes[number]
        return number in self.names or node.operator in _LEAVES or self._is_prepared(number)

    # --- statements ------------------------------------------------------------------

    def _write_node(self, number: int) -> None:
        node = self.graph.nodes[number]
        name = f"{self.prefix}{number}"
        self.out.about(node.origin.path)
        if node.operator == "scan":
            self._write_scan(number, name)
        else:
            self.out.add(f"{name} = {self._expression(number)}")
        self.names[number] = name
        for place in self.checks.get(number, ()):
            self.out.add(f"check({place}, {name})")

    def _write_sum(self, number: int, whole: Sum) -> None:
        name = f"{self.prefix}{number}"
        self.out.about(self.graph.nodes[number].origin.path)
        writer = SumWriter(
            graph=self.graph,
            operand=self.operand,
            before=self._before,
            prepare=self.inputs.prepare,
        )
        for text in writer.write(number, whole):
            self.out.add(f"{name} = {text.format(name)}")
        self.names[number] = name

    def _expression(self, number: int) -> str:
        node = self.graph.nodes[number]
        operands = tuple(self._guarded(number, i) for i in range(len(node.inputs)))
        site = Site(
            node=node,
            operands=operands,
            varying=self.varying[number],
            by_autograd=self.by_autograd,
            constant=self._constant,
        )
        if node.operator == "extern":
            return self._extern(site)
        return write_operator(OPERATORS[node.operator], site)

    # --- blocks ----------------------------------------------------------------------

    def _write_blocks(self, blocking: Blocking, loop: Loop) -> None:
        """Write a loop over blocks of an axis, and what its steps add up to."""
        nodes = list(self.graph.nodes)
        for number in loop.body:
            node, axis = nodes[number], blocking.target(number)
            if axis >= 0:
                nodes[number] = replace(node, shape=_in_block(node.shape, axis))
        inner = replace(self, graph=replace(self.graph, nodes=tuple(nodes)), names=dict(self.names))
        self.out.add(f"{' = '.join(f'v{number}' for number in loop.folds)} = None")
        each = width(self.graph.nodes, loop)
        self.out.add(f"for start, size in k.blocks({loop.count}, chains * {each}):")
        self.out.indent += "    "
        for number in loop.body:
            node, name = nodes[number], f"v{number}"
            self.out.about(node.origin.path)
            text = inner._block_expression(blocking, number)
            if number in loop.folds:
                self.out.add(f"b{number} = {text}")
                both = blocking.combine(node, number).format(name, f"b{number}")
                self.out.add(f"{name} = b{number} if {name} is None else {both}")
            else:
                self.out.add(f"{name} = {text}")
                inner.names[number] = name
        self.out.indent = self.out.indent[:-4]
        for number in loop.folds:
            if nodes[number].operator == "mean":
                self.out.add(f"v{number} = v{number} / {_count(self.graph, number)}")
            self.names[number] = f"v{number}"

    def _block_expression(self, blocking: Blocking, number: int) -> str:
        """Return what a step gives for one block."""
        node = self.graph.nodes[number]
        target = blocking.target(number)
        shapes = [self.graph.nodes[i].shape for i in node.inputs]
        operands = []
        for i, along in zip(node.inputs, align_axes(node, shapes), strict=True):
            operand = self.operand(i)
            if i not in blocking.axes and target in along:
                axis = along.index(target)
                part = f"{{}}.narrow({axis - len(along)}, start, size)"
                shape = _in_block(operand.shape, axis)
                operand = operand.inside(part, shape=shape, constant=None)
            operands.append(operand)
        if node.operator == "mean":
            node = replace(node, operator="sum")
        site = Site(
            node=node,
            operands=tuple(operands),
            varying=self.varying[number],
            by_autograd=self.by_autograd,
            constant=self._constant,
        )
        return write_operator(OPERATORS[node.operator], site)

    def _guarded(self, number: int, place: int) -> Operand:
        node = self.graph.nodes[number]
        operand = self.operand(node.inputs[place])
        if (number, place) in self.guards:
            operand = widen(operand, len(node.shape) - len(operand.shape))
        for guard in self.guards.get((number, place), ()):
            kept = ("{0}", "{0}.detach()") if guard.taken else ("{0}.detach()", "{0}")
            operand = operand.inside(f"torch.where({self._mask(guard)}, {', '.join(kept)})")
        return operand

    def _mask(self, guard: Guard) -> str:
        choice = self.graph.nodes[guard.choice]
        rank = len(choice.shape)
        parts = [self.operand(i) for i in mask_inputs(self.graph, guard)]
        texts = [widen(part, rank - len(part.shape)).text for part in parts]
        if len(texts) == 1:
            return texts[0]
        return "({0} >= {1}) & ({0} <= {2})".format(*texts)

    def _extern(self, site: Site) -> str:
        place = self.inputs.externs.setdefault(site.option("name"), len(self.inputs.externs))
        operands = site.real().operands
        if site.varying:
            operands = tuple(spread(operand) for operand in operands)
        return f"f[{place}]({', '.join(operand.text for operand in operands)})"

    # --- recurrences -----------------------------------------------------------------

    def _write_scan(self, number: int, name: str) -> None:
        """Write a loop; what does not change from step to step stands in front of it."""
        node = self.graph.nodes[number]
        body: EnergyGraph = node.option("body")
        ranks: tuple[int, ...] = node.option("element_ranks")
        start, *rest = (self.operand(i) for i in node.inputs)
        elements, captures = rest[: len(ranks)], rest[len(ranks) :]
        result = body.roots[Root(RootKind.NEXT)]
        varying = _body_flags(body, [start.varying, *(o.varying for o in rest)], result)
        # A state that varies only at the start, or only from then on, has a chain axis throughout.
        state_varies = start.varying or varying[result]

        state = f"{name}_state"
        texts = [state, *(f"{name}_element{i}" for i in range(len(elements)))]
        texts += [capture.text for capture in captures]
        parameters = {
            i: texts[inner.option("index")]
            for i, inner in enumerate(body.nodes)
            if inner.operator == "parameter"
        }
        frame = Frame(
            graph=body,
            inputs=self.inputs,
            out=self.out,
            varying=varying,
            guards=plan_guards(body, varying) if self.by_autograd else {},
            by_autograd=self.by_autograd,
            prefix=f"{name}_",
            names=parameters,
            behind_prepare=self.behind_prepare,
            inside=True,
        )
        order = frame.order([result])
        changing = _changing(frame, order, len(ranks))
        for inner in order:
            if inner not in changing:
                frame._write_node(inner)

        first = spread(start) if state_varies else start
        self.out.add(f"{state} = {first.text}")
        self.out.add(f"{name}_states = [{state}]")
        self.out.add(self._loop(name, node, elements))
        self.out.indent += "    "
        for inner in order:
            if inner in changing:
                frame._write_node(inner)
        after = frame.operand(result)
        self.out.add(f"{state} = {spread(after).text if state_varies else after.text}")
        self.out.add(f"{name}_states.append({state})")
        self.out.indent = self.out.indent[:-4]
        stacked = f"torch.stack({name}_states, {-node.option('rank') - 1})"
        if self.varying[number] and not state_varies:
            stacked += f".expand({show_shape(node.shape, varying=True)})"
        self.out.add(f"{name} = {stacked}")

    def _loop(self, name: str, node: Node, elements: Sequence[Operand]) -> str:
        """Return the head of the loop: over the elements, or a count where there are none."""
        axes = [-rank - 1 for rank in node.option("element_ranks")]
        targets, sources = [], []
        for i, (element, axis) in enumerate(zip(elements, axes, strict=True)):
            assert element.shape[len(element.shape) + axis] == node.option("steps")
            targets.append(f"{name}_element{i}")
            sources.append(f"{element.text}.unbind({axis})")
        if not targets:
            return f"for _ in range({node.option('steps')}):"
        if len(targets) == 1:
            return f"for {targets[0]} in {sources[0]}:"
        # The brackets let a long line be broken.
        return f"for ({', '.join(targets)}) in zip({', '.join(sources)}, strict=True):"


def _in_block(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], BlockSize(shape[axis]), *shape[axis + 1 :])


def _count(graph: EnergyGraph, mean: int) -> int:
    """Return how many elements each result of a mean is of."""
    node = graph.nodes[mean]
    shape = graph.nodes[node.inputs[0]].shape
    return math.prod(shape[axis] for axis in node.option("axes"))


def _body_flags(body: EnergyGraph, parameters: Sequence[bool], result: int) -> list[bool]:
    """Return which nodes of a body vary; the state does if its start or the next state does."""
    while True:
        flags: list[bool] = []
        for node in body.nodes:
            if node.operator == "parameter":
                flags.append(parameters[node.option("index")])
            else:
                flags.append(any(flags[i] for i in node.inputs))
        if parameters[0] or not flags[result]:
            return flags
        parameters = [True, *parameters[1:]]


def _changing(frame: Frame, order: Sequence[int], elements: int) -> set[int]:
    """Return the nodes of a body that depend on its state or its elements."""
    changing = {
        i
        for i, node in enumerate(frame.graph.nodes)
        if node.operator == "parameter" and node.option("index") <= elements
    }
    for number in order:
        if any(needed in changing for needed in frame.needs(number)):
            changing.add(number)
    return changing
