"""Small graphs by hand, and their values in NumPy, one chain at a time and step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ebmlang.graph import (
    EnergyGraph,
    GivenInfo,
    GraphBuilder,
    Kind,
    Node,
    Origin,
    Root,
    RootKind,
    VariableInfo,
)
from ebmlang.graph.node import Constant
from ebmlang.lang import DomainKind
from ebmlang.lang.operator import Result, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.source import SourceText

TEXT = SourceText("test.ebm", "var x: real[3]\nminimize m: log(x[0])\n")


@dataclass
class Sketch:
    """A graph under construction, in few words."""

    path: str = "m"
    builder: GraphBuilder = field(default_factory=GraphBuilder)
    variables: list[VariableInfo] = field(default_factory=list)
    givens: list[GivenInfo] = field(default_factory=list)
    roots: dict[Root, int] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        return Origin(TEXT.span(27, 36), self.path)

    def node(self, operator, inputs=(), *, kind=Kind.REAL, of=(), **options) -> int:
        return self.builder.add(
            Node(
                operator=operator,
                inputs=tuple(inputs),
                options=tuple(sorted(options.items())),
                kind=kind,
                shape=tuple(of),
                origin=self.origin,
            )
        )

    def variable(self, path, shape=()) -> int:
        self.variables.append(VariableInfo(path, DomainKind.REAL, tuple(shape)))
        return self.node("variable", of=shape, path=path)

    def given(self, path, shape=(), kind=Kind.REAL, default=None) -> int:
        known = None if default is None else Constant(np.asarray(default))
        span = TEXT.span(4, 5)
        self.givens.append(GivenInfo(path, kind, tuple(shape), known, span))
        return self.node("given", of=shape, kind=kind, path=path)

    def weight(self, path, value) -> int:
        self.weights[path] = value
        return self.node("weight", path=path, value=value)

    def constant(self, value) -> int:
        return self.builder.constant(np.asarray(value), self.origin)

    def parameter(self, index, shape=(), kind=Kind.REAL) -> int:
        return self.node("parameter", of=shape, kind=kind, index=index)

    def __call__(self, operator, *inputs, **options) -> int:
        """Apply an operator of the table; shape and kind follow."""
        record = OPERATORS[operator]
        nodes = [self.builder.nodes[i] for i in inputs]
        shape = infer_shape(record, tuple(node.shape for node in nodes), options)
        whole = all(node.kind is Kind.INT for node in nodes)
        kinds = {
            Result.REAL: Kind.REAL,
            Result.INT: Kind.INT,
            Result.BOOL: Kind.BOOL,
            Result.LIKE: nodes[1 if operator == "where" else 0].kind,
            Result.SAME: Kind.INT if whole else Kind.REAL,
        }
        return self.node(operator, inputs, kind=kinds[record.result], of=shape, **options)

    def scan(self, body: EnergyGraph, start, elements=(), captures=(), *, steps, rank=0) -> int:
        first = self.builder.nodes[start]
        lead = first.shape[: len(first.shape) - rank]
        own = first.shape[len(first.shape) - rank :]
        ranks = tuple(len(self.builder.nodes[e].shape) - 1 - len(lead) for e in elements)
        return self.node(
            "scan",
            (start, *elements, *captures),
            kind=first.kind,
            of=(*lead, steps + 1, *own),
            body=body,
            steps=steps,
            rank=rank,
            element_ranks=ranks,
        )

    def body(self, result: int) -> EnergyGraph:
        return EnergyGraph(tuple(self.builder.nodes), {Root(RootKind.NEXT): result})

    def root(self, kind: RootKind, number: int, path: str = "", size: int = 0) -> None:
        self.roots[Root(kind, path, size)] = number

    def graph(self, total: int | None = None) -> EnergyGraph:
        """Close the graph; without a total, E is 0."""
        number = self.constant(0.0) if total is None else total
        return EnergyGraph(
            tuple(self.builder.nodes),
            {**self.roots, Root(RootKind.TOTAL): number},
            tuple(self.variables),
            tuple(self.givens),
            (),
            dict(self.weights),
        )


def evaluate(
    graph: EnergyGraph, leaves: Mapping[str, Any], parameters: tuple[Any, ...] = ()
) -> list[np.ndarray]:
    """Return the value of every node in one chain, from leaves by path."""
    values: list[np.ndarray] = []
    for node in graph.nodes:
        match node.operator:
            case "constant":
                value = node.option("value").array
            case "variable" | "given" | "weight":
                value = np.asarray(leaves[node.option("path")])
            case "parameter":
                value = parameters[node.option("index")]
            case "scan":
                value = _evaluate_scan(node, [values[i] for i in node.inputs])
            case _:
                record = OPERATORS[node.operator]
                inputs = [values[i] for i in node.inputs]
                value = record.evaluate(*inputs, **dict(node.options))
        values.append(np.asarray(value))
    return values


def _evaluate_scan(node, inputs):
    ranks = node.option("element_ranks")
    state, elements, captures = inputs[0], inputs[1 : 1 + len(ranks)], inputs[1 + len(ranks) :]
    body = node.option("body")
    result = body.roots[Root(RootKind.NEXT)]
    states = [state]
    for t in range(node.option("steps")):
        now = [np.take(e, t, axis=-r - 1) for e, r in zip(elements, ranks, strict=True)]
        state = evaluate(body, {}, (state, *now, *captures))[result]
        states.append(state)
    return np.stack(states, axis=-node.option("rank") - 1)
