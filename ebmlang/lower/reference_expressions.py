"""The oracle's expressions: the value of a typed expression at one point.

Quantifiers are Python loops and functions are calls with an environment, as the docstring of the
typed program says; nothing is vectorized, shared or rewritten. Values are NumPy arrays (an energy
or a density is one of shape ()), constraints are `Formula`s, and a part is its own environment.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from ebmlang.check.formulas import (
    Apply,
    At,
    Call,
    Connective,
    Convert,
    Density,
    Expression,
    Index,
    Iteration,
    IterationKind,
    Literal,
    Logical,
    Member,
    Mixture,
    Normalized,
    Quantified,
    QuantifierKind,
    Reference,
    Relation,
    Scan,
    SizeValue,
    SpecCall,
    Symbol,
)
from ebmlang.check.program import Body, Let, Role
from ebmlang.lang import Dim, Sort, Type, evaluate_dim
from ebmlang.lower.reference_densities import log_density
from ebmlang.lower.reference_logic import (
    Formula,
    conjoin,
    disjoin,
    judge_relation,
    judge_truth,
)
from ebmlang.lower.reference_operators import OPERATIONS

Array: TypeAlias = NDArray[Any]
"""Any: float64, int64 or bool, as the value is."""

Value: TypeAlias = "Array | Formula | Environment"
Environment: TypeAlias = dict[Symbol, "Value"]

Extern: TypeAlias = Callable[..., Any]
"""A function from Python. Any: takes and returns what NumPy can make an array of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What stays the same all over a program: the sizes, and the functions from Python.

    Attributes:
        sizes, externs: These.
        integrals: Log integrals of what is normalized, by path.
        prefix: The path of the part that is being read, with its dot.
    """

    sizes: Mapping[str, int]
    externs: Mapping[str, Extern]
    integrals: Mapping[str, Array] = field(default_factory=dict)
    prefix: str = ""


def value_of(e: Expression, env: Environment, world: World) -> Array:
    """Return an ordinary value, an energy or a density as an array of the sort's dtype."""
    value = evaluate_expression(e, env, world)
    assert isinstance(value, np.ndarray), e
    return value


def formula_of(e: Expression, env: Environment, world: World) -> Formula:
    """Return a constraint."""
    value = evaluate_expression(e, env, world)
    assert isinstance(value, Formula), e
    return value


def energy_of(e: Expression, env: Environment, world: World) -> float:
    """Return the energy of an expression of any sort that has one."""
    value = evaluate_expression(e, env, world)
    if isinstance(value, Formula):
        return value.holds.energy
    assert isinstance(value, np.ndarray)
    return float(value)


def evaluate_expression(e: Expression, env: Environment, world: World) -> Value:
    """Return the value of an expression where the symbols have these values."""
    match e:
        case Literal():
            return _typed(np.asarray(e.value), e.type)
        case SizeValue():
            return _typed(np.asarray(evaluate_dim(e.size, world.sizes)), e.type)
        case Reference():
            return env[e.symbol]
        case Member():
            return _member(e, env)
        case Convert():
            return _convert(e, env, world)
        case Apply():
            return _apply(e, env, world)
        case Index():
            return _index(e, env, world)
        case Relation():
            return _relation(e, env, world)
        case Logical():
            return _logical(e, env, world)
        case Mixture():
            weights = [float(value_of(w, env, world)) for w in e.weights]
            return _mixture([energy_of(c, env, world) for c in e.components], weights)
        case Normalized():
            integral = float(world.integrals[f"log Z of {world.prefix}{e.name}"])
            return np.asarray(energy_of(e.energy, env, world) + integral)
        case Density():
            left = value_of(e.left, env, world)
            arguments = tuple(value_of(a, env, world) for a in e.arguments)
            return np.asarray(-log_density(e.distribution, left, arguments))
        case Quantified():
            return _quantified(e, env, world)
        case Scan():
            return _scan(e, env, world)
        case Call():
            values = [evaluate_expression(a, env, world) for a in e.arguments]
            inner = env | dict(zip(e.instance.parameters, values, strict=True))
            return evaluate_expression(e.instance.result, inner, world)
        case SpecCall():
            return _spec_call(e, env, world)
        case _:
            assert_never(e)


# --- leaves, conversions, operators --------------------------------------------------

_DTYPES = {Sort.BOOL: np.bool_, Sort.INT: np.int64, Sort.LABEL: np.int64}


def _typed(value: Array, of: Type) -> Array:
    return np.asarray(value, dtype=_DTYPES.get(of.sort, np.float64))


def _shape(of: Type, world: World) -> tuple[int, ...]:
    return tuple(evaluate_dim(dim, world.sizes) for dim in of.shape)


def _member(e: Member, env: Environment) -> Value:
    here: Value = env
    for symbol in e.path:
        assert isinstance(here, dict)
        here = here[symbol]
    return here


def _convert(e: Convert, env: Environment, world: World) -> Value:
    value = evaluate_expression(e.operand, env, world)
    if isinstance(value, Formula):
        if e.type.sort is Sort.BOOL:
            return np.asarray(value.holds.margin >= 0)
        return value if e.type.sort is Sort.CONSTRAINT else np.asarray(value.holds.energy)
    assert isinstance(value, np.ndarray)
    if e.type.sort is Sort.CONSTRAINT:
        return conjoin([judge_truth(bool(element)) for element in value.flat], "product")
    return _typed(value, e.type)


def _apply(e: Apply, env: Environment, world: World) -> Array:
    if e.type.sort in (Sort.ENERGY, Sort.DENSITY):
        values = [np.asarray(energy_of(a, env, world)) for a in e.arguments]
    else:
        values = [value_of(a, env, world) for a in e.arguments]
    options = {name: _fixed(option, world) for name, option in e.options}
    if e.operator == "extern":
        return _typed(np.asarray(world.externs[options["name"]](*values)), e.type)
    if e.type.sort is Sort.REAL:
        # Whole numbers too: NumPy refuses 2 ** -1, and divides and overflows otherwise.
        values = [v.astype(np.float64) if v.dtype == np.int64 else v for v in values]
    result = _typed(np.asarray(OPERATIONS[e.operator](*values, **options)), e.type)
    assert result.shape == _shape(e.type, world), (e.operator, result.shape, str(e.type))
    return result


def _fixed(option: object, world: World) -> Any:  # Any: a number, a word, a tuple of them
    if isinstance(option, tuple):
        return tuple(_fixed(item, world) for item in option)
    return option if isinstance(option, str) else _number(option, world)


def _number(option: object, world: World) -> int:
    dim: Dim = option  # type: ignore[assignment]  # the checker puts nothing else there
    return evaluate_dim(dim, world.sizes)


def _index(e: Index, env: Environment, world: World) -> Array:
    base = value_of(e.base, env, world)
    places: list[int | slice] = []
    for size, item in zip(base.shape, e.items, strict=False):
        if isinstance(item, At):
            place = int(value_of(item.index, env, world))
            if not 0 <= place < size:
                raise IndexError(f"{item.index.span}: {place} is not in 0..{size - 1}")
            places.append(place)
        else:
            first = evaluate_dim(item.first, world.sizes)
            last = evaluate_dim(item.last, world.sizes)
            places.append(slice(first, last + 1))
    return np.asarray(base[tuple(places)])


# --- constraints and energies --------------------------------------------------------


def _relation(e: Relation, env: Environment, world: World) -> Formula:
    left, right = value_of(e.left, env, world), value_of(e.right, env, world)
    tolerance = np.asarray(1.0) if e.tolerance is None else value_of(e.tolerance, env, world)
    elements = np.broadcast(left, right, tolerance)
    sort = e.left.type.sort
    formulas = [
        judge_relation(e.operator, sort, a.item(), b.item(), s.item()) for a, b, s in elements
    ]
    return conjoin(formulas, e.logic) if elements.shape else formulas[0]


def _logical(e: Logical, env: Environment, world: World) -> Value:
    if e.type.sort is not Sort.CONSTRAINT:
        energies = [energy_of(operand, env, world) for operand in e.operands]
        if e.connective is Connective.AND:
            return np.asarray(math.fsum(energies))
        assert e.connective is Connective.OR
        return _mixture(energies, [1.0] * len(energies))
    formulas = [formula_of(operand, env, world) for operand in e.operands]
    match e.connective:
        case Connective.AND:
            return conjoin(formulas, e.logic)
        case Connective.OR:
            return disjoin(formulas, e.logic)
        case Connective.NOT:
            return formulas[0].negated()
        case Connective.IMPLIES:
            return _implication(formulas[0], formulas[1], e.logic)
        case Connective.IFF:
            there = _implication(formulas[0], formulas[1], e.logic)
            back = _implication(formulas[1], formulas[0], e.logic)
            return conjoin([there, back], e.logic)
        case _:
            assert_never(e.connective)


def _implication(left: Formula, right: Formula, logic: str) -> Formula:
    return disjoin([left.negated(), right], logic)


def _mixture(energies: Sequence[float], weights: Sequence[float]) -> Array:
    """Return -log(sum_i w_i exp(-E_i) / sum_i w_i), relative to the lowest energy."""
    lowest = min(energies, default=math.inf)
    if lowest == math.inf:
        return np.asarray(math.inf)
    shares = [w * math.exp(lowest - e) for w, e in zip(weights, energies, strict=True)]
    return np.asarray(lowest - math.log(math.fsum(shares) / math.fsum(weights)))


def _spec_call(e: SpecCall, env: Environment, world: World) -> Value:
    values = [evaluate_expression(a, env, world) for a in e.arguments]
    inner = env | dict(zip(e.instance.parameters, values, strict=True))
    terms = list(_spec_terms(e.instance.body, inner, world, 1.0))
    if e.type.sort is Sort.CONSTRAINT:
        return conjoin([term for term in terms if isinstance(term, Formula)], e.logic)
    return np.asarray(math.fsum(t.holds.energy if isinstance(t, Formula) else t for t in terms))


def _spec_terms(
    body: Body, env: Environment, world: World, weight: float
) -> Iterator[Formula | float]:
    """Yield the weighted terms of a spec used as an expression, those of its parts first."""
    for definition in body.definitions:
        if isinstance(definition, Let):
            env[definition.symbol] = evaluate_expression(definition.value, env, world)
            continue
        values = [evaluate_expression(a, env, world) for a in definition.arguments]
        inner = env | dict(zip(definition.instance.parameters, values, strict=True))
        yield from _spec_terms(definition.instance.body, inner, world, weight * definition.weight)
        env[definition.symbol] = inner
    for term in body.terms:
        share = weight * term.weight
        value = evaluate_expression(term.value, env, world)
        if isinstance(value, Formula):
            yield value.scaled(1.0 if term.role is Role.REQUIRE else share)
        else:
            assert isinstance(value, np.ndarray)
            yield -share * float(value) if term.role is Role.MAXIMIZE else share * float(value)


# --- quantifiers and recurrences -----------------------------------------------------


def _quantified(e: Quantified, env: Environment, world: World) -> Value:
    values = [
        evaluate_expression(e.body, env | bound, world)
        for bound in _elements(e.iteration, env, world)
    ]
    if e.type.sort is Sort.CONSTRAINT:
        formulas = [value for value in values if isinstance(value, Formula)]
        assert len(formulas) == len(values)
        join = conjoin if e.kind is QuantifierKind.FORALL else disjoin
        return join(formulas, e.logic)
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    assert len(arrays) == len(values)
    return _typed(_gather(e, arrays, world), e.type)


def _gather(e: Quantified, values: list[Array], world: World) -> Array:
    shape = _shape(e.type, world)
    match e.kind:
        case QuantifierKind.FORALL | QuantifierKind.SUM:
            return np.sum(values, axis=0) if values else np.zeros(shape)
        case QuantifierKind.EXISTS:
            return _mixture([float(value) for value in values], [1.0] * len(values))
        case QuantifierKind.PROD:
            return np.prod(values, axis=0) if values else np.ones(shape)
        case QuantifierKind.MIN:
            return np.min(values, axis=0) if values else np.full(shape, math.inf)
        case QuantifierKind.MAX:
            return np.max(values, axis=0) if values else np.full(shape, -math.inf)
        case QuantifierKind.MEAN:
            return np.asarray(np.sum(values, axis=0) / len(values))
        case QuantifierKind.ARRAY:
            return np.stack(values) if values else np.zeros(shape)
        case _:
            assert_never(e.kind)


def _elements(iteration: Iteration, env: Environment, world: World) -> Iterator[Environment]:
    """Yield what the binders are bound to, one element after the other."""
    for values in _tuples(iteration, env, world):
        bound: Environment = dict(zip(iteration.binders, values, strict=True))
        condition = iteration.condition
        if condition is None or bool(value_of(condition, env | bound, world)):
            yield bound


def _tuples(iteration: Iteration, env: Environment, world: World) -> Iterator[tuple[Array, ...]]:
    sources = [value_of(source, env, world) for source in iteration.sources]
    rows = [[np.asarray(row) for row in source] for source in sources]
    match iteration.kind:
        case IterationKind.EACH | IterationKind.ZIP:
            yield from zip(*rows, strict=True)
        case IterationKind.RANGE:
            assert iteration.bounds is not None
            first, last = (evaluate_dim(bound, world.sizes) for bound in iteration.bounds)
            yield from ((np.asarray(i),) for i in range(first, last + 1))
        case IterationKind.PAIRS:
            yield from combinations(rows[0], 2)
        case IterationKind.ADJACENT:
            yield from pairwise(rows[0])
        case IterationKind.ENUMERATE:
            yield from ((np.asarray(i), row) for i, row in enumerate(rows[0]))
        case IterationKind.PRODUCT:
            yield from _product(iteration.factors, env, world)
        case _:
            assert_never(iteration.kind)


def _product(
    factors: Sequence[Iteration], env: Environment, world: World
) -> Iterator[tuple[Array, ...]]:
    if not factors:
        yield ()
        return
    for first in _tuples(factors[0], env, world):
        for rest in _product(factors[1:], env, world):
            yield (*first, *rest)


def _scan(e: Scan, env: Environment, world: World) -> Array:
    states = [value_of(e.start, env, world)]
    for bound in _elements(e.iteration, env, world):
        inner = env | bound | {e.state: states[-1]}
        states.append(value_of(e.body, inner, world))
    return np.stack(states)
