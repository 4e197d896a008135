"""Arrays under construction: nodes with quantifier axes, and the operations that line them up.

A quantifier gives its body a new leading axis; bodies nest, so axes are ordered by level, the
outermost first. A `Value` is a node plus the list of those axes. Operands that depend on
different quantifiers meet by size-1 axes, put in with `reshape`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph.graph import EnergyGraph, GraphBuilder
from ebmlang.graph.node import Kind, Node, Origin, Root, RootKind
from ebmlang.lang.operator import Family, Result, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.source import Diagnostic, EbmError, Label, Span
from ebmlang.source.limits import ARRAY_ELEMENTS, GRAPH_NODES, STEP_ELEMENTS, STEPS_PER_CHARACTER


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of one quantifier: how deep it is nested, and over how many elements."""

    level: int
    size: int


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the scope numbered `depth`, with its leading quantifier axes."""

    number: int
    axes: tuple[Axis, ...]
    depth: int


Shape: TypeAlias = tuple[int, ...]


@dataclass(slots=True, eq=False)
class Scope:
    """One graph under construction: the whole model, or the body of one recurrence.

    Attributes:
        depth: 0 for the model; a recurrence's body is one deeper than what is around it.
        around: The scope that values may be captured from.
        captures: Outer node number to the parameter that stands for it here.
        span, path: Where nodes made now come from.
        axes: The quantifiers around the expression at hand.
        written: How long the text of the model is, of the outermost scope [characters].
    """

    depth: int = 0
    around: "Scope | None" = None
    span: Span | None = None
    path: str = ""
    axes: tuple[Axis, ...] = ()
    builder: GraphBuilder = field(default_factory=GraphBuilder)
    captures: dict[int, int] = field(default_factory=dict)
    parameters: int = 0
    written: int = 0

    # --- nodes -----------------------------------------------------------------------

    @property
    def origin(self) -> Origin:
        """The origin of nodes made now."""
        return Origin(self.span, self.path)

    def node(self, value: Value) -> Node:
        """Return the node of a value, in this scope."""
        return self.builder.nodes[self.use(value)]

    def own(self, value: Value) -> Shape:
        """Return a value's own shape, without its quantifier axes."""
        return self.node(value).shape[len(value.axes) :]

    def use(self, value: Value) -> int:
        """Return the number of a value here, capturing it from outside where it must be."""
        if value.depth == self.depth:
            return value.number
        assert self.around is not None
        outer = self.around.use(value)
        if outer not in self.captures:
            node = self.around.builder.nodes[outer]
            if node.operator == "constant":
                self.captures[outer] = self.builder.add(node)
            else:
                self.captures[outer] = self.parameter(node.kind, node.shape)
        return self.captures[outer]

    def parameter(self, kind: Kind, shape: Shape) -> int:
        """Add the next parameter of a recurrence's body."""
        options = {"index": self.parameters}
        self.parameters += 1
        return self.make("parameter", (), (), kind=kind, shape=shape, options=options).number

    def make(
        self,
        operator: str,
        inputs: tuple[int, ...],
        axes: tuple[Axis, ...],
        *,
        kind: Kind,
        shape: Shape,
        options: Mapping[str, object] = MappingProxyType({}),
    ) -> Value:
        """Add a node and return it as a value.

        Raises:
            EbmError: The array or the graph passes its limit.
        """
        self.require_room(shape, STEP_ELEMENTS)
        self.require_steps(len(self.builder.nodes))
        node = Node(
            operator=operator,
            inputs=inputs,
            options=tuple(sorted(options.items())),
            kind=kind,
            shape=shape,
            origin=self.origin,
        )
        return Value(self.builder.add(node), axes, self.depth)

    def require_room(self, shape: Shape, most: int = ARRAY_ELEMENTS) -> None:
        """Raise unless an array of this shape is within the limit.

        Raises:
            EbmError: It is not (E0316).
        """
        if math.prod(shape) > most:
            raise self._too_large(
                "an array is too large",
                f"{math.prod(shape):,} elements, and at most {most:,} are allowed",
            )

    def require_steps(self, count: int) -> None:
        """Raise unless so many steps are within the limit.

        Raises:
            EbmError: They are not (E0316).
        """
        if count < GRAPH_NODES:
            return
        outermost = self
        while outermost.around is not None:
            outermost = outermost.around
        most = max(GRAPH_NODES, STEPS_PER_CHARACTER * outermost.written)
        if count >= most:
            raise self._too_large(
                "the spec is too large once its functions and specs are written out",
                f"more than {most:,} steps when this is reached",
            )

    def _too_large(self, headline: str, label: str) -> EbmError:
        return EbmError(
            Diagnostic(
                code="E0316",
                headline=headline,
                primary=Label(self.span, label) if self.span else None,
                notes=(f"this is part of `{self.path}`",) if self.path else (),
            )
        )

    def constant(self, array: "NDArray[np.generic] | float", axes: tuple[Axis, ...] = ()) -> Value:
        """Return a constant; its leading axes are those given."""
        return Value(self.builder.constant(np.asarray(array), self.origin), axes, self.depth)

    # --- operators -------------------------------------------------------------------

    def __call__(self, operator: str, *values: Value) -> Value:
        """Apply an operator without options, as the tables of `lang.logics` do."""
        return self.apply(operator, values)

    def number(self, value: float) -> Value:
        """Return a number as a value."""
        return self.constant(value)

    def apply(self, operator: str, values: Sequence[Value], **options: object) -> Value:
        """Apply an operator of the table, lining up quantifier axes first."""
        record = OPERATORS[operator]
        if record.family is Family.ELEMENTWISE:
            values = self.align(values)
        elif len(values) > 1:
            values = self.align(values, pad=False)
            if operator in ("stack", "concat"):
                values = [self.spread(value, value.axes) for value in values]
        inputs = tuple(self.use(value) for value in values)
        nodes = [self.builder.nodes[number] for number in inputs]
        shape = infer_shape(record, tuple(node.shape for node in nodes), options)
        kind = result_kind(record.result, operator, nodes)
        known = tuple(int(dim) for dim in shape if isinstance(dim, int))
        return self.make(operator, inputs, values[0].axes, kind=kind, shape=known, options=options)

    def constraint(self, operator: str, values: Sequence[Value], **options: object) -> Value:
        """Apply an elementwise operator that makes a constraint."""
        values = self.align(values)
        inputs = tuple(self.use(value) for value in values)
        shape = np.broadcast_shapes(*(self.builder.nodes[number].shape for number in inputs))
        return self.make(
            operator, inputs, values[0].axes, kind=Kind.CONSTRAINT, shape=shape, options=options
        )

    def quantify(
        self, operator: str, value: Value, axes: tuple[int, ...], **options: object
    ) -> Value:
        """Apply `all` or `any` over own axes of a constraint."""
        if not axes:
            return value
        shape = self.node(value).shape
        kept = tuple(dim for i, dim in enumerate(shape) if i - len(shape) not in axes)
        return self.make(
            operator,
            (self.use(value),),
            value.axes,
            kind=Kind.CONSTRAINT,
            shape=kept,
            options={**options, "axes": axes},
        )

    # --- lining up -------------------------------------------------------------------

    def align(self, values: Sequence[Value], *, pad: bool = True) -> list[Value]:
        """Give values the same quantifier axes, of size 1 where they do not depend on one.

        Args:
            values: Any values.
            pad: Whether own shapes get leading 1s to a common rank too.
        """
        axes = tuple(sorted({a for v in values for a in v.axes}, key=lambda axis: axis.level))
        rank = max((len(self.own(value)) for value in values), default=0) if pad else 0
        return [self._with_axes(value, axes, rank) for value in values]

    def _with_axes(self, value: Value, axes: tuple[Axis, ...], rank: int) -> Value:
        own = self.own(value)
        sizes = dict(zip(value.axes, self.node(value).shape, strict=False))
        lead = tuple(sizes.get(axis, 1) for axis in axes)
        shape = (*lead, *(1,) * (rank - len(own)), *own)
        return self.reshape(value, shape, axes)

    def reshape(self, value: Value, shape: Shape, axes: tuple[Axis, ...]) -> Value:
        """Return the same elements under another whole shape, read with other axes."""
        node = self.node(value)
        if node.shape == shape:
            return Value(self.use(value), axes, self.depth)
        options = {"rank": len(node.shape), "shape": shape}
        return self.make(
            "reshape", (self.use(value),), axes, kind=node.kind, shape=shape, options=options
        )

    def spread(self, value: Value, axes: tuple[Axis, ...], own: Shape | None = None) -> Value:
        """Repeat a value so that it has all these axes, and its own shape, in full."""
        wanted = self.own(value) if own is None else own
        value = self._with_axes(value, axes, len(wanted))
        shape = (*(axis.size for axis in axes), *wanted)
        node = self.node(value)
        if node.shape == shape:
            return value
        return self.make(
            "expand",
            (self.use(value),),
            axes,
            kind=node.kind,
            shape=shape,
            options={"shape": shape},
        )

    def close(self, result: Value) -> EnergyGraph:
        """Return the body of a recurrence whose next state is `result`."""
        return EnergyGraph(tuple(self.builder.nodes), {Root(RootKind.NEXT): self.use(result)})


def result_kind(result: Result, operator: str, nodes: Sequence[Node]) -> Kind:
    """Return what the elements of an operator's value are, given its operands."""
    match result:
        case Result.REAL:
            return Kind.REAL
        case Result.INT:
            return Kind.INT
        case Result.BOOL:
            return Kind.BOOL
        case Result.LIKE:
            return nodes[1 if operator == "where" else 0].kind
        case Result.SAME:
            return Kind.INT if all(node.kind is Kind.INT for node in nodes) else Kind.REAL
