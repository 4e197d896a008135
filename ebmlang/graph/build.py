"""A typed program to its energy graph: bodies, parts, terms and what they are roots of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ebmlang.check.program import Body, Given, Let, Part, Program, Role, Term, Variable
from ebmlang.graph.evaluate import evaluate_constant
from ebmlang.graph.expressions import KINDS, Environment, Interpreter
from ebmlang.graph.graph import EnergyGraph, GivenInfo, TermInfo, VariableInfo
from ebmlang.graph.node import Constant, Kind, Root, RootKind
from ebmlang.graph.sizes import bind_shape
from ebmlang.graph.validate import validate_graph
from ebmlang.graph.values import Scope, Value
from ebmlang.source import Span

Pieces: TypeAlias = Callable[[Interpreter, Term, Environment, str], Mapping[str, Value]]
"""From a term, what its symbols mean, and its path, to values that become roots PIECE."""


def build_graph(
    program: Program, sizes: Mapping[str, int], pieces: Pieces | None = None
) -> EnergyGraph:
    """Return the energy graph of a program, as built: no pass has seen it.

    Args:
        program: A typed program.
        sizes: The number behind every name in `program.sizes`.
        pieces: What else of each term is to be a root.

    Raises:
        EbmError: Sizes turn out wrong only now that they are known: shapes that do not fit
            (E0302), an index outside its axis (E0309), a negative size or a mean of nothing
            (E0311), an array or a graph past its limit (E0316).
    """
    construction = _Construction(sizes, pieces, Scope(written=_count_characters(program)))
    environment = Environment({})
    construction.body(program.body, environment, "", None)
    return construction.graph()


def _count_characters(program: Program) -> int:
    """Return how long the texts are that the terms of a program stand in."""
    texts = {term.span.source.name: len(term.span.source.text) for term in program.body.terms}
    return sum(texts.values())


@dataclass(slots=True)
class _Construction:
    """What one build collects on its way through the bodies."""

    sizes: Mapping[str, int]
    pieces: Pieces | None
    scope: Scope
    roots: dict[Root, Value] = field(default_factory=dict)
    variables: list[VariableInfo] = field(default_factory=list)
    givens: list[GivenInfo] = field(default_factory=list)
    terms: list[TermInfo] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    checks: list[tuple[RootKind, Value, int]] = field(default_factory=list)
    densities: list[tuple[Value, Value]] = field(default_factory=list)
    integrals: dict[str, tuple[Value, Span]] = field(default_factory=dict)
    build: Interpreter = field(init=False)

    def __post_init__(self) -> None:
        self.build = Interpreter(
            self.scope, self.sizes, self.checks, self.densities, self.integrals
        )

    def graph(self) -> EnergyGraph:
        """Close what was collected into a graph."""
        for number, (kind, value, size) in enumerate(self.checks):
            if value.depth == self.scope.depth:
                self.roots[Root(kind, str(number), size)] = value
        for number, (energy, left) in enumerate(dict.fromkeys(self.densities)):
            self.roots[Root(RootKind.DENSITY, str(number))] = energy
            self.roots[Root(RootKind.LEFT, str(number))] = left
        for path, (energy, span) in self.integrals.items():
            self.givens.append(GivenInfo(path, Kind.REAL, (), None, span, estimated=True))
            self.roots[Root(RootKind.INTEGRAND, path)] = energy
        graph = EnergyGraph(
            nodes=tuple(self.scope.builder.nodes),
            roots={root: value.number for root, value in self.roots.items()},
            variables=tuple(self.variables),
            givens=tuple(self.givens),
            terms=tuple(self.terms),
            weights=dict(self.weights),
        )
        validate_graph(graph)
        return graph

    def body(self, body: Body, env: Environment, prefix: str, weight: Value | None) -> None:
        """Add what a body declares, under the path and the weight of the parts around it."""
        for given in body.givens:
            self._given(given, env, prefix)
        for variable in body.variables:
            self._variable(variable, env, prefix)
        for definition in body.definitions:
            self.scope.path = f"{prefix}{definition.symbol.name}"
            if isinstance(definition, Let):
                env.values[definition.symbol] = self.build.build(definition.value, env)
            else:
                self._part(definition, env, prefix, weight)
        for variable in body.variables:
            self._bounds(variable, env, prefix)
        for term in body.terms:
            self._term(term, env, prefix, weight)
        for report in body.reports:
            self.scope.path = f"{prefix}{report.name}"
            value = self.build.build(report.value, env)
            if self.scope.node(value).kind is Kind.CONSTRAINT:
                value = self.build.crisp(value)
            self.roots[Root(RootKind.REPORT, self.scope.path)] = value

    def _leaf(self, operator: str, path: str, kind: Kind, shape: tuple[int, ...]) -> Value:
        return self.scope.make(operator, (), (), kind=kind, shape=shape, options={"path": path})

    def _given(self, given: Given, env: Environment, prefix: str) -> None:
        path = f"{prefix}{given.symbol.name}"
        self.scope.path, self.scope.span = path, given.span
        shape = bind_shape(given.type.shape, self.sizes, given.span)
        kind = KINDS[given.type.sort]
        default = None
        if given.default is not None:
            value = self.scope.spread(self.build.build(given.default, env), (), shape)
            known = evaluate_constant(self.scope, value)
            assert known is not None
            default = Constant(known)
        self.givens.append(GivenInfo(path, kind, shape, default, given.span))
        env.values[given.symbol] = self._leaf("given", path, kind, shape)

    def _variable(self, variable: Variable, env: Environment, prefix: str) -> None:
        path = f"{prefix}{variable.symbol.name}"
        self.scope.path, self.scope.span = path, variable.span
        shape = bind_shape(variable.domain.shape, self.sizes, variable.span)
        info = VariableInfo(path, variable.domain.kind, shape, variable.span)
        self.variables.append(info)
        env.values[variable.symbol] = self._leaf("variable", path, Kind.REAL, shape)

    def _bounds(self, variable: Variable, env: Environment, prefix: str) -> None:
        path = f"{prefix}{variable.symbol.name}"
        self.scope.path, self.scope.span = path, variable.span
        shape = bind_shape(variable.domain.shape, self.sizes, variable.span)
        sides = {RootKind.LOWER: variable.domain.lower, RootKind.UPPER: variable.domain.upper}
        for kind, bound in sides.items():
            if bound is not None:
                value = self.scope.spread(self.build.build(bound, env), (), shape)
                self.roots[Root(kind, path)] = value

    def _part(self, part: Part, env: Environment, prefix: str, around: Value | None) -> None:
        path = f"{prefix}{part.symbol.name}"
        arguments = [self.build.build(argument, env) for argument in part.arguments]
        inner = env.part(dict(zip(part.instance.parameters, arguments, strict=True)))
        env.values[part.symbol] = inner
        weight = self._weight(path, part.weight, around)
        self.body(part.instance.body, inner, f"{path}.", weight)

    def _weight(self, path: str, value: float, around: Value | None) -> Value:
        """Return the weight of a term or a part, times that of the parts around it."""
        self.weights[path] = value
        options = {"path": path, "value": value}
        own = self.scope.make("weight", (), (), kind=Kind.REAL, shape=(), options=options)
        return own if around is None else self.scope("mul", around, own)

    def _term(self, term: Term, env: Environment, prefix: str, around: Value | None) -> None:
        path = f"{prefix}{term.name}"
        self.scope.path, self.scope.span = path, term.span
        value = self.build.build(term.value, env)
        self.terms.append(TermInfo(path, term.role.value, term.value.type.sort.value, term.span))
        if self.pieces is not None:
            for name, piece in self.pieces(self.build, term, env, path).items():
                self.roots[Root(RootKind.PIECE, name)] = piece
        if term.role is Role.REQUIRE:
            self.roots[Root(RootKind.REQUIRE, path)] = value
            return
        if term.role is Role.MAXIMIZE:
            value = self.scope("neg", value)
        weight = self._weight(path, term.weight, around)
        if self.scope.node(value).kind is Kind.CONSTRAINT:
            value = self.scope.constraint("scale", [value, weight])
        else:
            if self.scope.node(value).kind is Kind.INT:
                value = self.scope("to_real", value)
            value = self.scope("mul", value, weight)
        self.roots[Root(RootKind.TERM, path)] = value
