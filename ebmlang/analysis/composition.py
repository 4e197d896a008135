"""What each term is composed of: AND, OR, NOT and quantifiers, down to relations and densities.

The text is walked beside the graph, so that every piece keeps its own words, and every piece
becomes a root of the graph, so that energies and margins of pieces go through the same passes and
kernels as those of terms. NOT is pushed down here as there: a piece under it is read negated.

    prefer side: near(lamp, [0, 30]) or near(lamp, [120, 30])

is one piece joined by NOISY_OR, with the two calls as its parts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from ebmlang.analysis.places import Axes, read_places
from ebmlang.check.formulas import (
    Apply,
    Call,
    Connective,
    Convert,
    Density,
    Expression,
    Logical,
    Mixture,
    Quantified,
    QuantifierKind,
    Relation,
    SpecCall,
)
from ebmlang.check.program import Body, Let, Program, Role, Term
from ebmlang.graph import EnergyGraph, Kind
from ebmlang.graph.build import build_graph
from ebmlang.graph.expressions import Environment, Interpreter
from ebmlang.graph.iteration import bind_elements
from ebmlang.graph.values import Axis, Value
from ebmlang.lang import Sort
from ebmlang.lang.logics import LOGICS
from ebmlang.source import Span


class Joint(Enum):
    """How the energy of a piece comes out of those of its parts."""

    LEAF = "leaf"
    SUM = "sum"
    MAX = "max"
    NOISY_OR = "noisy_or"
    MIN = "min"
    MIXTURE = "mixture"
    """-log of a weighted mean of exp(-E)."""
    SOFTMIN = "softmin"
    """-log of the sum of exp(-E)."""


DISJUNCTIVE = frozenset({Joint.NOISY_OR, Joint.MIN, Joint.MIXTURE, Joint.SOFTMIN})
"""Joints where one part is enough."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """A term, or a part of one.

    Attributes:
        text: Its words; `not` is put in front of those that are read negated.
        span: Where they stand.
        root: The path of its root PIECE; its array has the axes of the quantifiers around it.
        is_constraint: Whether it has a margin.
        joint: How its parts make it.
        parts: Its operands; or, where `axes` says so, one part that stands for all elements.
        axes: Of a quantifier, or a relation on arrays: what the part has more axes for.
        mask: Of a quantifier whose condition depends on data: the root that says which
            elements count.
        weights: Of a mixture with weights of its own: their roots.
        factor: The energy of the whole has that of this piece times it.
        relation: Of a single comparison: how it is written.
    """

    text: str
    span: Span
    root: str
    is_constraint: bool
    joint: Joint = Joint.LEAF
    parts: "tuple[Piece, ...]" = ()
    axes: Axes | None = None
    mask: str | None = None
    weights: tuple[str, ...] = ()
    factor: float = 1.0
    relation: "WrittenRelation | None" = None

    def roots(self) -> Iterator[str]:
        """Yield the paths of all roots that its decomposition reads."""
        yield self.root
        yield from self.weights
        if self.mask is not None:
            yield self.mask
        for part in self.parts:
            yield from part.roots()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WrittenRelation:
    """A comparison as it stands in the text, before any NOT around it.

    Attributes:
        relation: It.
        negated: Whether it is read negated.
        tolerance: The root of its tolerance, where it has one.
        left, right: The root of each side.
    """

    relation: Relation
    negated: bool
    tolerance: str | None
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermPiece:
    """A term with its path and role, and what it is made of."""

    path: str
    term: Term
    piece: Piece


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Composition:
    """All terms of a program, and the graph, as built, that has their pieces as roots."""

    terms: tuple[TermPiece, ...]
    graph: EnergyGraph

    @property
    def required(self) -> tuple[TermPiece, ...]:
        """The terms that have to hold."""
        return tuple(term for term in self.terms if term.term.role is Role.REQUIRE)


def compose(program: Program, sizes: Mapping[str, int]) -> Composition:
    """Return what the terms of a program are made of, and the graph with their pieces as roots.

    Raises:
        EbmError: As `build_graph` does.
    """
    terms: list[TermPiece] = []

    def visit(build: Interpreter, term: Term, env: Environment, path: str) -> Mapping[str, Value]:
        walk = _Walk(build, path)
        piece, _ = walk.whole(term.value, env)
        terms.append(TermPiece(path=path, term=term, piece=piece))
        return walk.values

    graph = build_graph(program, sizes, visit)
    return Composition(terms=tuple(terms), graph=graph)


@dataclass(frozen=True, slots=True)
class _Words:
    """The outermost text that means the same piece, and whether that is read negated."""

    span: Span
    negated: bool

    @property
    def text(self) -> str:
        plain = " ".join(self.span.text.split())
        return f"not {plain}" if self.negated else plain


_Found = tuple[Piece, Value]


@dataclass(slots=True)
class _Walk:
    """One term on its way down; collects the values that become roots."""

    build: Interpreter
    path: str
    values: dict[str, Value] = field(default_factory=dict)

    def whole(self, e: Expression, env: Environment) -> _Found:
        """Return a term's piece."""
        return self.piece(e, env, False, None)

    def keep(self, value: Value) -> str:
        """Make a value a root, with all axes of the quantifiers around it; return its path."""
        scope = self.build.scope
        name = f"{self.path}:{len(self.values)}"
        self.values[name] = scope.spread(value, scope.axes)
        return name

    def made(self, value: Value, words: _Words, joint: Joint, **more: object) -> _Found:
        constraint = self.build.scope.node(value).kind is Kind.CONSTRAINT
        piece = Piece(
            text=words.text,
            span=words.span,
            root=self.keep(value),
            is_constraint=constraint,
            joint=joint,
            **more,  # type: ignore[arg-type]
        )
        return piece, value

    # --- expressions -----------------------------------------------------------------

    def piece(self, e: Expression, env: Environment, negated: bool, words: _Words | None) -> _Found:
        """Return the piece that an expression is, and its value as read."""
        words = words or _Words(e.span, negated)
        if not _is_scalar_energy(e):
            return self.leaf(e, env, negated, words)
        match e:
            case Convert(operand=operand) if _is_scalar_energy(operand):
                return self.piece(operand, env, negated, words)
            case Call():
                bound = [self.build.build(a, env) for a in e.arguments]
                inner = env.inside(dict(zip(e.instance.parameters, bound, strict=True)))
                return self.piece(e.instance.result, inner, negated, words)
            case Logical(connective=Connective.NOT):
                return self.piece(e.operands[0], env, not negated, words)
            case Logical():
                return self.connective(e, env, negated, words)
            case Mixture():
                weights = tuple(self.keep(self.build.build(w, env)) for w in e.weights)
                return self.joined(e, e.components, env, words, Joint.MIXTURE, weights=weights)
            case Apply(operator="softmin"):
                return self.joined(e, e.arguments, env, words, Joint.SOFTMIN)
            case Apply(operator="add"):
                return self.joined(e, _summands(e), env, words, Joint.SUM)
            case Relation():
                return self.relation(e, env, negated, words)
            case Density():
                energy = self.build.build(e.energy, env)
                return self.elements(self.build.build(e, env), energy, words, Joint.SUM)
            case Quantified() if e.kind in _QUANTIFIERS:
                return self.quantified(e, env, negated, words)
            case SpecCall():
                return self.spec(e, env, negated, words)
            case _:
                return self.leaf(e, env, negated, words)

    def leaf(self, e: Expression, env: Environment, negated: bool, words: _Words) -> _Found:
        return self.made(self.read(e, env, negated), words, Joint.LEAF)

    def read(self, e: Expression, env: Environment, negated: bool) -> Value:
        """Return the value of an expression, or that of its negation."""
        value = self.build.build(e, env)
        return self.build.negate(value) if negated else value

    def joined(
        self,
        e: Expression,
        operands: Sequence[Expression],
        env: Environment,
        words: _Words,
        joint: Joint,
        **more: object,
    ) -> _Found:
        """Return a piece made of energies."""
        parts = tuple(self.piece(operand, env, False, None)[0] for operand in operands)
        return self.made(self.build.build(e, env), words, joint, parts=parts, **more)

    def connective(self, e: Logical, env: Environment, negated: bool, words: _Words) -> _Found:
        if e.type.sort is not Sort.CONSTRAINT:
            disjunction = e.connective is Connective.OR
            joint = Joint.MIXTURE if disjunction else Joint.SUM
            return self.joined(e, e.operands, env, words, joint)
        match e.connective:
            case Connective.IMPLIES:
                left, right = e.operands
                return self.formula("or", [(left, True), (right, False)], e, env, negated, words)
            case Connective.IFF:
                left, right = e.operands
                halves = [
                    self.formula("or", [(a, True), (b, False)], e, env, negated, words)
                    for a, b in ((left, right), (right, left))
                ]
                return self.connected(_dual("and", negated), halves, e.logic, words)
            case _:
                operands = [(operand, False) for operand in e.operands]
                return self.formula(e.connective.value, operands, e, env, negated, words)

    def formula(
        self,
        word: str,
        operands: Sequence[tuple[Expression, bool]],
        e: Logical,
        env: Environment,
        negated: bool,
        words: _Words,
    ) -> _Found:
        """Return the AND or OR of constraints, each as it is or negated."""
        parts = [self.piece(a, env, flipped is not negated, None) for a, flipped in operands]
        return self.connected(_dual(word, negated), parts, e.logic, words)

    def connected(self, word: str, parts: Sequence[_Found], logic: str, words: _Words) -> _Found:
        value = self.build.connect(word, [value for _, value in parts], logic)
        joint = _joint(logic, conjunction=word == "and")
        return self.made(value, words, joint, parts=tuple(piece for piece, _ in parts))

    def relation(self, e: Relation, env: Environment, negated: bool, words: _Words) -> _Found:
        value = self.build.build(e, env)
        node = self.build.scope.node(value)
        written = e, env, negated
        if node.operator != "all":
            whole = self.build.negate(value) if negated else value
            found, _ = self.made(whole, words, Joint.LEAF)
            return replace(found, relation=self.written(*written, ())), whole
        inside = Value(node.inputs[0], value.axes, value.depth)
        joint = _joint(e.logic, conjunction=not negated)
        whole, every = (
            (self.build.negate(value), self.build.negate(inside)) if negated else (value, inside)
        )
        return self.elements(whole, every, words, joint, written)

    def elements(
        self,
        whole: Value,
        every: Value,
        words: _Words,
        joint: Joint,
        written: tuple[Relation, Environment, bool] | None = None,
    ) -> _Found:
        """Return a piece whose parts are the elements of an array; a leaf where it has none."""
        scope = self.build.scope
        own = scope.own(every)
        if not own:
            return self.made(whole, words, Joint.LEAF)
        axes = tuple(Axis(len(scope.axes) + i, size) for i, size in enumerate(own))
        outer, scope.axes = scope.axes, (*scope.axes, *axes)
        single, _ = self.made(Value(every.number, (*every.axes, *axes), every.depth), words,
                              Joint.LEAF)  # fmt: skip
        if written is not None:
            single = replace(single, relation=self.written(*written, axes))
        scope.axes = outer
        return self.made(whole, words, joint, parts=(single,), axes=Axes.plain(own))

    def written(
        self, e: Relation, env: Environment, negated: bool, axes: tuple[Axis, ...]
    ) -> WrittenRelation:
        """Return how a comparison is written; `axes` are those of its elements."""
        scope = self.build.scope
        inside = scope.axes
        outside = inside[: len(inside) - len(axes)]

        def side(expression: Expression) -> str:
            # Built with all its elements at once, as it was for the term: a recurrence would
            # else run once for each.
            scope.axes = outside
            value = self.build.build(expression, env)
            scope.axes = inside
            own = scope.own(value)
            met = axes[len(axes) - len(own) :]
            if own != tuple(axis.size for axis in met):
                value = scope.spread(value, value.axes, tuple(axis.size for axis in axes))
                met = axes
            return self.keep(Value(value.number, (*value.axes, *met), value.depth))

        return WrittenRelation(
            relation=e,
            negated=negated,
            tolerance=None if e.tolerance is None else side(e.tolerance),
            left=side(e.left),
            right=side(e.right),
        )

    # --- quantifiers and specs -------------------------------------------------------

    def quantified(self, e: Quantified, env: Environment, negated: bool, words: _Words) -> _Found:
        scope = self.build.scope
        elements = bind_elements(self.build, e.iteration, env)
        places = read_places(scope, elements)
        outer, scope.axes = scope.axes, (*scope.axes, *elements.axes)
        part, _ = self.piece(e.body, env.inside(elements.binders), negated, None)
        mask = None if elements.mask is None else self.keep(elements.mask)
        scope.axes = outer
        universal = (e.kind is not QuantifierKind.EXISTS) is not negated
        if part.is_constraint:
            joint = _joint(e.logic, conjunction=universal)
        else:
            joint = Joint.SUM if universal else Joint.MIXTURE
        whole = self.read(e, env, negated)
        return self.made(whole, words, joint, parts=(part,), axes=places, mask=mask)

    def spec(self, e: SpecCall, env: Environment, negated: bool, words: _Words) -> _Found:
        arguments = [self.build.build(a, env) for a in e.arguments]
        inner = env.part(dict(zip(e.instance.parameters, arguments, strict=True)))
        parts = tuple(self.terms(e.instance.body, inner, negated, "", 1.0))
        joint = Joint.SUM
        if e.type.sort is Sort.CONSTRAINT:
            joint = _joint(e.logic, conjunction=not negated)
        return self.made(self.read(e, env, negated), words, joint, parts=parts)

    def terms(
        self, body: Body, env: Environment, negated: bool, prefix: str, weight: float
    ) -> Iterator[Piece]:
        """Yield the terms of a body without unknowns, in the order in which they are joined."""
        for definition in body.definitions:
            name = definition.symbol
            if isinstance(definition, Let):
                env.values[name] = self.build.build(definition.value, env)
                continue
            arguments = [self.build.build(a, env) for a in definition.arguments]
            instance = definition.instance
            inner = env.part(dict(zip(instance.parameters, arguments, strict=True)))
            env.values[name] = inner
            path, factor = f"{prefix}{name.name}.", weight * definition.weight
            yield from self.terms(instance.body, inner, negated, path, factor)
        for term in body.terms:
            piece, _ = self.piece(term.value, env, negated, None)
            sign = -1.0 if term.role is Role.MAXIMIZE else 1.0
            text = f"not {prefix}{term.name}" if negated else f"{prefix}{term.name}"
            yield replace(
                piece, text=text, span=term.span, factor=weight * term.weight * sign * piece.factor
            )


_QUANTIFIERS = frozenset({QuantifierKind.FORALL, QuantifierKind.EXISTS, QuantifierKind.SUM})


def _is_scalar_energy(e: Expression) -> bool:
    """Whether an expression is one constraint, or one real that may be a sum of energies."""
    kinds = (Sort.CONSTRAINT, Sort.DENSITY, Sort.ENERGY, Sort.REAL)
    return e.type.sort in kinds and not e.type.shape


def _summands(e: Expression) -> list[Expression]:
    if isinstance(e, Apply) and e.operator == "add" and _is_scalar_energy(e):
        return [summand for a in e.arguments for summand in _summands(a)]
    return [e]


def _dual(word: str, negated: bool) -> str:
    return {"and": "or", "or": "and"}[word] if negated else word


def _joint(logic: str, *, conjunction: bool) -> Joint:
    rule = LOGICS[logic]
    return Joint(rule.conjunction if conjunction else rule.disjunction)
