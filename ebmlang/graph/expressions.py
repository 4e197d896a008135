"""Typed expressions to nodes: an interpreter whose values are arrays under construction."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

import numpy as np

from ebmlang.check.formulas import (
    Apply,
    Call,
    Connective,
    Convert,
    Density,
    Expression,
    Index,
    Literal,
    Logical,
    Member,
    Mixture,
    Normalized,
    Quantified,
    Reference,
    Relation,
    RelationOperator,
    Scan,
    SizeValue,
    SpecCall,
    Symbol,
)
from ebmlang.check.program import Body, Let, Role, Term
from ebmlang.graph.evaluate import evaluate_constant
from ebmlang.graph.indexing import build_index
from ebmlang.graph.iteration import build_quantified
from ebmlang.graph.node import Kind, RootKind
from ebmlang.graph.recurrence import build_scan
from ebmlang.graph.sizes import bind_number, bind_shape, bind_size, require_count
from ebmlang.graph.values import Scope, Value
from ebmlang.lang import Size, Sort, Type
from ebmlang.source import Span

KINDS: Mapping[Sort, Kind] = {
    Sort.REAL: Kind.REAL,
    Sort.ENERGY: Kind.REAL,
    Sort.DENSITY: Kind.REAL,
    Sort.INT: Kind.INT,
    Sort.BOOL: Kind.BOOL,
    Sort.LABEL: Kind.INT,
    Sort.CONSTRAINT: Kind.CONSTRAINT,
}
"""What the elements of a value of each sort are."""


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """Values of symbols; a body's own in front of those around it.

    Attributes:
        values: Symbol to value, or to the environment of a part.
        around: The environment this one extends.
        body: The environment of the file's or the part's body that this is inside of: functions
            close over a body, so it says what their free symbols mean. None for a body's own.
    """

    values: "dict[Symbol, Value | Environment]"
    around: "Environment | None" = None
    body: "Environment | None" = None

    def __getitem__(self, symbol: Symbol) -> "Value | Environment":
        here: Environment | None = self
        while here is not None:
            if symbol in here.values:
                return here.values[symbol]
            here = here.around
        raise KeyError(symbol)

    def inside(self, values: Mapping[Symbol, Value]) -> "Environment":
        """Return an environment with these symbols in front."""
        return Environment(dict(values), self, self.body or self)

    def part(self, values: Mapping[Symbol, Value]) -> "Environment":
        """Return the environment of a body inside this one, with its parameters."""
        return Environment(dict(values), self)


Sizes: TypeAlias = Mapping[str, int]


@dataclass(slots=True)
class Interpreter:
    """What stays the same while a program is read: the sizes, and the scope written into."""

    scope: Scope
    sizes: Sizes
    checks: list[tuple[RootKind, Value, int]]
    """What depends on data and has to be checked once it is there: indices, with the sizes they
    must stay below (INDEX), and tolerances (POSITIVE)."""
    densities: list[tuple[Value, Value]]
    """The energy and the left side of every density outside of recurrences."""
    integrals: dict[str, tuple[Value, Span]]
    """Of every `normalize` its energy, and where it is written, by the path of its integral."""
    calls: dict[tuple[object, ...], Value] = field(default_factory=dict)
    """Results of calls, so that one call written many times is read once."""
    steps: int = 0
    """Expressions built so far; sharing keeps the graph small, not the work of building it."""

    def build(self, expression: Expression, env: Environment) -> Value:
        """Return the value of an expression; its span becomes the origin of new nodes."""
        scope = self.scope
        outer, scope.span = scope.span, expression.span
        self.steps += 1
        scope.require_steps(self.steps)
        try:
            return self._build(expression, env)
        finally:
            scope.span = outer

    def _build(self, e: Expression, env: Environment) -> Value:
        match e:
            case Literal():
                return self.scope.constant(e.value)
            case SizeValue():
                return self.scope.constant(bind_number(e.size, self.sizes, e.span))
            case Reference():
                return _value(env[e.symbol])
            case Member():
                return self._member(e, env)
            case Convert():
                return self._convert(self.build(e.operand, env), e.operand.type, e.type)
            case Apply():
                return self._apply(e, env)
            case Index():
                base = self.build(e.base, env)
                return build_index(self, base, e, lambda index: self.build(index, env))
            case Relation():
                return self._relation(e, env)
            case Logical():
                operands = [self.build(operand, env) for operand in e.operands]
                return self._logical(e, operands)
            case Mixture():
                weights = [self.build(weight, env) for weight in e.weights]
                components = [self.build(c, env) for c in e.components]
                return self._log_mean_exp(components, weights)
            case Normalized():
                return self._normalized(e, env)
            case Density():
                return self._density(e, env)
            case Quantified():
                return build_quantified(self, e, env)
            case Scan():
                return build_scan(self, e, env)
            case Call():
                return self._call(e, env)
            case SpecCall():
                return self._spec_call(e, env)
            case _:
                assert_never(e)

    def _call(self, e: Call, env: Environment) -> Value:
        arguments = tuple(self.build(a, env) for a in e.arguments)
        key = (e.instance, arguments, self.scope, env.body or env)
        if key not in self.calls:
            bound = dict(zip(e.instance.parameters, arguments, strict=True))
            self.calls[key] = self.build(e.instance.result, env.inside(bound))
        return self.calls[key]

    def _density(self, e: Density, env: Environment) -> Value:
        energy = self.build(e.energy, env)
        if self.scope.depth == 0:
            left = self.build(e.left, env)
            parameters = [self.build(argument, env) for argument in e.arguments]
            # With its own left side among its parameters it is no density of it.
            if not any(self._depends(parameter, left) for parameter in parameters):
                self.densities.append((energy, left))
        return self.sum_own(energy)

    def _normalized(self, e: Normalized, env: Environment) -> Value:
        """Return an energy plus its log integral, which is an input."""
        energy = self.energy(self.build(e.energy, env))
        path = name_integral(self.scope.path, e.name)
        self.integrals.setdefault(path, (energy, e.span))
        options = {"path": path}
        integral = self.scope.make("given", (), (), kind=Kind.REAL, shape=(), options=options)
        return self.scope("add", energy, integral)

    def _depends(self, value: Value, on: Value) -> bool:
        """Return whether a value is made of another."""
        seen: set[int] = set()
        stack = [value.number]
        while stack:
            number = stack.pop()
            if number == on.number:
                return True
            # Inputs stand before what is made of them.
            if number > on.number and number not in seen:
                seen.add(number)
                stack.extend(self.scope.builder.nodes[number].inputs)
        return False

    # --- leaves and conversions ------------------------------------------------------

    def _member(self, e: Member, env: Environment) -> Value:
        here: Value | Environment = env
        for symbol in e.path:
            assert isinstance(here, Environment)
            here = here[symbol]
        return _value(here)

    def _convert(self, value: Value, source: Type, target: Type) -> Value:
        match (source.sort, target.sort):
            case (Sort.INT, Sort.REAL):
                return self.scope("to_real", value)
            case (Sort.BOOL, Sort.INT):
                return self.scope("to_int", value)
            case (Sort.BOOL, Sort.REAL):
                return self.scope("to_real", self.scope("to_int", value))
            case (Sort.BOOL, Sort.CONSTRAINT):
                same = self.scope.constraint("same", [value, self.scope.constant(True)])
                return self.all_own(same, "product")
            case (Sort.CONSTRAINT, Sort.BOOL):
                return self.crisp(value)
            case _:
                return self.energy(value)

    def crisp(self, value: Value) -> Value:
        """Return whether a constraint of known or given values holds."""
        known = evaluate_constant(self.scope, value)
        if known is not None:
            return self.scope.constant(known, value.axes)
        node = self.scope.node(value)
        return self.scope.make(
            "holds", (self.scope.use(value),), value.axes, kind=Kind.BOOL, shape=node.shape
        )

    # --- operators -------------------------------------------------------------------

    def _apply(self, e: Apply, env: Environment) -> Value:
        scope = self.scope
        options = {name: self._fixed(value, e.span) for name, value in e.options}
        values = [self.build(a, env) for a in e.arguments]
        match e.operator:
            case "zeros" | "ones":
                value = 0.0 if e.operator == "zeros" else 1.0
                return scope.spread(scope.constant(value), (), options["shape"])
            case "eye":
                size = options["size"]
                scope.require_room((size, size))
                return scope.constant(np.eye(size))
            case "linspace":
                scope.require_room((options["size"],))
                steps = scope.constant(np.linspace(0.0, 1.0, options["size"]))
                first, last = values
                return scope("add", first, scope("mul", scope("sub", last, first), steps))
            case "unlike":
                return self._unlike(*values)
            case "softmin":
                return self._log_mean_exp(values, None)
            case "tempered":
                return scope("div", *values)
            case "repel":
                energy, strength = values
                return scope("mul", scope("neg", strength), energy)
            case "reshape":
                require_count(scope.own(values[0]), options["shape"], e.span)
                return scope.apply(e.operator, values, **options)
            case "extern":
                return self._extern(e, values)
            case _:
                return scope.apply(e.operator, values, **options)

    def _fixed(self, option: Any, span: Span) -> Any:
        """Return an option with its sizes as numbers. Any: an int, a Size, or a tuple of them."""
        if isinstance(option, tuple):
            return tuple(self._fixed(item, span) for item in option)
        return bind_size(option, self.sizes, span) if isinstance(option, Size) else option

    def _extern(self, e: Apply, values: Sequence[Value]) -> Value:
        scope = self.scope
        values = scope.align(values, pad=False)
        axes = values[0].axes if values else ()
        values = [scope.spread(value, axes) for value in values]
        own = bind_shape(e.type.shape, self.sizes, e.span)
        return scope.make(
            "extern",
            tuple(scope.use(value) for value in values),
            axes,
            kind=Kind.REAL,
            shape=(*(axis.size for axis in axes), *own),
            options=dict(e.options),
        )

    # --- relations and logic ---------------------------------------------------------

    def _relation(self, e: Relation, env: Environment) -> Value:
        a, b = self.build(e.left, env), self.build(e.right, env)
        tolerance = [] if e.tolerance is None else [self.build(e.tolerance, env)]
        for value in tolerance:
            if evaluate_constant(self.scope, value) is None:
                self.checks.append((RootKind.POSITIVE, value, 0))
        sort = e.left.type.sort
        prefix = "int_" if sort is Sort.INT else ""
        match e.operator:
            case RelationOperator.LE:
                made = self.scope.constraint(f"{prefix}le", [a, b, *tolerance])
            case RelationOperator.GE:
                made = self.scope.constraint(f"{prefix}le", [b, a, *tolerance])
            case RelationOperator.LT:
                made = self.scope.constraint("int_le", [self._after(a), b])
            case RelationOperator.GT:
                made = self.scope.constraint("int_le", [self._after(b), a])
            case RelationOperator.EQ | RelationOperator.NE if sort in (Sort.BOOL, Sort.LABEL):
                equal = e.operator is RelationOperator.EQ
                made = self.scope.constraint("same" if equal else "differ", [a, b])
            case RelationOperator.EQ:
                made = self.scope.constraint(f"{prefix}eq", [a, b, *tolerance])
            case RelationOperator.NE:
                made = self.scope.constraint(f"{prefix}ne", [a, b, *tolerance])
            case _:
                assert_never(e.operator)
        return self.all_own(made, e.logic)

    def _after(self, value: Value) -> Value:
        return self.scope("add", value, self.scope.constant(1))

    def all_own(self, value: Value, logic: str) -> Value:
        """Return the AND over a constraint's own axes."""
        axes = tuple(range(-len(self.scope.own(value)), 0))
        return self.scope.quantify("all", value, axes, logic=logic)

    def sum_own(self, value: Value) -> Value:
        """Return the sum over a value's own axes."""
        axes = tuple(range(-len(self.scope.own(value)), 0))
        return self.scope.apply("sum", [value], axes=axes) if axes else value

    def _logical(self, e: Logical, operands: list[Value]) -> Value:
        if e.type.sort is not Sort.CONSTRAINT:
            return self._soft(e.connective, operands)
        connect = self.connect
        match e.connective:
            case Connective.AND | Connective.OR:
                return connect(e.connective.value, operands, e.logic)
            case Connective.NOT:
                return self.negate(operands[0])
            case Connective.IMPLIES:
                left, right = operands
                return connect("or", [self.negate(left), right], e.logic)
            case Connective.IFF:
                left, right = operands
                there = connect("or", [self.negate(left), right], e.logic)
                back = connect("or", [self.negate(right), left], e.logic)
                return connect("and", [there, back], e.logic)
            case _:
                assert_never(e.connective)

    def connect(self, word: str, operands: list[Value], logic: str) -> Value:
        """Return the AND or OR of constraints."""
        return self.scope.constraint(word, operands, logic=logic)

    def negate(self, operand: Value) -> Value:
        """Return the NOT of a constraint."""
        return self.scope.constraint("not", [operand])

    def _soft(self, connective: Connective, operands: list[Value]) -> Value:
        """Return the product of experts (a sum of energies), or their even mixture."""
        if connective is Connective.OR:
            return self._log_mean_exp(operands, [self.scope.constant(1.0)] * len(operands))
        total = operands[0]
        for operand in operands[1:]:
            total = self.scope("add", total, operand)
        return total

    def energy(self, value: Value) -> Value:
        """Return C of a constraint, and anything else as it is."""
        node = self.scope.node(value)
        if node.kind is not Kind.CONSTRAINT:
            return value
        return self.scope.make(
            "energy", (self.scope.use(value),), value.axes, kind=Kind.REAL, shape=node.shape
        )

    def _log_mean_exp(self, energies: Sequence[Value], weights: list[Value] | None) -> Value:
        """Return -log(sum_i w_i exp(-E_i)), weights scaled to sum to one; None leaves them out."""
        scope = self.scope
        logs = [scope("neg", energy) for energy in energies]
        if weights is not None:
            shares = scope.apply("stack", weights, axis=-1)
            total = scope("log", scope.apply("sum", [shares], axes=(-1,)))
            logs = [
                scope("add", value, scope("sub", scope("log", weight), total))
                for value, weight in zip(logs, weights, strict=True)
            ]
        together = scope.apply("stack", logs, axis=-1)
        return scope("neg", scope.apply("logsumexp", [together], axes=(-1,)))

    def _unlike(self, a: Value, b: Value) -> Value:
        """Return A + softplus(A - B); where p_A is zero, A, whatever B: inf - inf is no number."""
        scope = self.scope
        possible = scope("nonnegative", scope("sub", scope.constant(math.inf), a))
        unlike = scope("add", a, scope("softplus", scope("sub", a, b)))
        return scope("where", possible, unlike, a)

    def _spec_call(self, e: SpecCall, env: Environment) -> Value:
        arguments = tuple(self.build(a, env) for a in e.arguments)
        key = (e.instance, arguments, self.scope, env.body or env, e.logic)
        if key not in self.calls:
            inner = env.part(dict(zip(e.instance.parameters, arguments, strict=True)))
            self.calls[key] = self._joined_terms(e, inner)
        return self.calls[key]

    def _joined_terms(self, e: SpecCall, inner: Environment) -> Value:
        values = self._terms(e.instance.body, inner)
        if e.type.sort is Sort.CONSTRAINT:
            return self.connect("and", values, e.logic) if len(values) > 1 else values[0]
        return self._soft(Connective.AND, [self.energy(value) for value in values])

    def _terms(self, body: Body, env: Environment) -> list[Value]:
        """Return the weighted terms of a body that declares no unknowns, its parts' included."""
        values = []
        for definition in body.definitions:
            if isinstance(definition, Let):
                env.values[definition.symbol] = self.build(definition.value, env)
                continue
            arguments = [self.build(a, env) for a in definition.arguments]
            inner = env.part(dict(zip(definition.instance.parameters, arguments, strict=True)))
            env.values[definition.symbol] = inner
            terms = self._terms(definition.instance.body, inner)
            values += [self._weighted(value, definition.weight) for value in terms]
        return [*values, *(self.term(term, env) for term in body.terms)]

    def term(self, term: Term, env: Environment) -> Value:
        """Return a term of a spec used as an expression: its value times its weight."""
        value = self.build(term.value, env)
        if term.role is Role.MAXIMIZE:
            value = self.scope("neg", value)
        return self._weighted(value, term.weight)

    def _weighted(self, value: Value, weight: float) -> Value:
        if weight == 1:
            return value
        factor = self.scope.constant(weight)
        if self.scope.node(value).kind is Kind.CONSTRAINT:
            return self.scope.constraint("scale", [value, factor])
        return self.scope("mul", value, factor)


def name_integral(statement: str, name: str) -> str:
    """Return the path of the input that a `normalize` called `name` adds.

    Args:
        statement: The path of the statement that it is in.
        name: As the typed program has it.
    """
    prefix, dot, _ = statement.rpartition(".")
    return f"log Z of {prefix}{dot}{name}"


def _value(found: Value | Environment) -> Value:
    assert isinstance(found, Value)
    return found
