"""Quantifiers, sums, builders and recurrences: a body for each element of an iteration."""

from ebmlang.check import formulas
from ebmlang.check.conversion import (
    convert,
    show_number_inside,
    to_constraint,
    to_energy,
    to_real,
)
from ebmlang.check.formulas import Iteration, QuantifierKind, SymbolKind
from ebmlang.check.iterations import Bound, bind_iteration
from ebmlang.check.scope import Scope
from ebmlang.check.value import Binding, DensityFacts, Value, describe, snippet
from ebmlang.lang import NUMBERS, VALUES, Dim, Shape, Sort, Type
from ebmlang.source import Label
from ebmlang.source.limits import SCAN_STEPS
from ebmlang.syntax import tree


def infer_quantifier(node: tree.Quantifier, scope: Scope) -> Value | None:
    """Return `forall`, `exists`, or a reduction over elements."""
    bound = bind_iteration(node.binding, scope)
    if bound is None:
        return None
    body = bound.scope.infer(node.body)
    if body is None:
        return None
    kind = QuantifierKind(node.word)
    match kind:
        case QuantifierKind.FORALL:
            return _infer_forall(node, bound, body, scope)
        case QuantifierKind.EXISTS:
            return _infer_exists(node, bound, body, scope)
        case _:
            return _infer_reduction(kind, node, bound, body, scope)


def _infer_forall(node: tree.Quantifier, bound: Bound, body: Value, scope: Scope) -> Value | None:
    session = scope.session
    if body.sort in (Sort.DENSITY, Sort.ENERGY):
        energy = to_energy(body, session, "`forall`")
        assert energy is not None
        return _quantify(QuantifierKind.FORALL, node, bound, energy, scope)
    if body.sort in NUMBERS:
        _report_number(node, body, scope)
        return None
    constraint = to_constraint(body, session, "the body of `forall`")
    if constraint is None:
        return None
    return _quantify(QuantifierKind.FORALL, node, bound, constraint, scope)


def _infer_exists(node: tree.Quantifier, bound: Bound, body: Value, scope: Scope) -> Value | None:
    session = scope.session
    if body.sort is Sort.DENSITY:
        assert body.density is not None
        binders = {(symbol,) for symbol in bound.iteration.binders}
        if session.keys.atoms(body.density.lefts) & binders:
            session.error(
                "E0308",
                "the densities in `exists` have different left sides",
                node.body.span,
                "the left side changes with the element",
                helps=("let only the parameters behind `~` depend on the element",),
            )
            return None
        mixture = _quantify(QuantifierKind.EXISTS, node, bound, body, scope)
        return Value(expression=mixture.expression, density=_without(body.density, bound, scope))
    if body.sort is Sort.ENERGY:
        binding = snippet(node.binding.span, "x in xs")
        session.error(
            "E0306",
            "`exists` has no meaning on a plain energy, which is known up to a constant only",
            node.body.span,
            "this is an energy",
            helps=(
                f"take the lowest energy: `energy(min {binding}: {show_number_inside(body)})`",
                f"make it a constraint on its number: `{show_number_inside(body)} <= 1 within 0.1`",
            ),
        )
        return None
    if body.sort in NUMBERS:
        _report_number(node, body, scope)
        return None
    constraint = to_constraint(body, session, "the body of `exists`")
    if constraint is None:
        return None
    return _quantify(QuantifierKind.EXISTS, node, bound, constraint, scope)


def _without(facts: DensityFacts, bound: Bound, scope: Scope) -> DensityFacts:
    """Return what a mixture depends on: the elements stand for what they are taken from."""
    keys = scope.session.keys
    sources = {keys.key(source) for source in _all_sources(bound.iteration)}
    return DensityFacts(facts.lefts, facts.parameters | sources)


def _all_sources(iteration: Iteration) -> list[formulas.Expression]:
    inner = [source for factor in iteration.factors for source in _all_sources(factor)]
    return [*iteration.sources, *inner]


def _report_number(node: tree.Quantifier, body: Value, scope: Scope) -> None:
    text = snippet(node.body.span, "x")
    scope.session.error(
        "E0301",
        f"the body of `{node.word}` can hold or not; {describe(body.type)} cannot",
        node.body.span,
        f"this is {describe(body.type)}",
        helps=(f"compare it: `{text} >= 0`", "or add the elements up: `sum ... : ...`"),
    )


def _infer_reduction(
    kind: QuantifierKind, node: tree.Quantifier, bound: Bound, body: Value, scope: Scope
) -> Value | None:
    session = scope.session
    if body.sort not in NUMBERS:
        helps = {
            Sort.BOOL: "count by `if c then 1 else 0`",
            Sort.CONSTRAINT: "join constraints by `forall` or `exists`",
            Sort.DENSITY: "add densities up by `forall`",
            Sort.ENERGY: "add energies up by `forall`",
        }
        session.error(
            "E0301",
            f"`{node.word}` takes numbers, not {describe(body.type)}",
            node.body.span,
            f"this is {describe(body.type)}",
            helps=(helps[body.sort],) if body.sort in helps else (),
        )
        return None
    count = bound.iteration.count
    if kind is QuantifierKind.MEAN and count == 0:
        session.error(
            "E0311", "a `mean` over no elements", node.binding.domain.span, "this is empty"
        )
        return None
    # Over no elements these are infinite, which is not an int.
    may_be_empty = not isinstance(count, int) or count == 0 or bound.iteration.condition is not None
    extreme = kind in (QuantifierKind.MIN, QuantifierKind.MAX)
    if kind is QuantifierKind.MEAN or (extreme and may_be_empty):
        body = to_real(body)
    return _quantify(kind, node, bound, body, scope, shape=body.shape)


def infer_builder(node: tree.Builder, scope: Scope) -> Value | None:
    """Return `[element for x in xs]`: the elements along a new first axis."""
    bound = bind_iteration(node.binding, scope)
    if bound is None:
        return None
    element = bound.scope.infer(node.element)
    if element is None:
        return None
    if element.sort not in VALUES:
        scope.session.error(
            "E0301",
            f"{describe(element.type)} cannot be an element of an array",
            node.element.span,
            f"this is {describe(element.type)}",
            helps=("join them by `forall` or `exists`",),
        )
        return None
    shape: tuple[Dim, ...] = (bound.iteration.count, *element.shape)
    return _quantify(QuantifierKind.ARRAY, node, bound, element, scope, shape=shape)


def _quantify(
    kind: QuantifierKind,
    node: tree.Quantifier | tree.Builder,
    bound: Bound,
    body: Value,
    scope: Scope,
    shape: Shape = (),
) -> Value:
    return Value(
        expression=formulas.Quantified(
            kind=kind,
            iteration=bound.iteration,
            body=body.expression,
            logic=scope.context.logic,
            type=Type(body.sort, shape, max(bound.stage, body.stage)),
            span=node.span,
        )
    )


def infer_scan(node: tree.Scan, scope: Scope) -> Value | None:
    """Return `scan s = start over a in xs: body`: all states, the start included."""
    session = scope.session
    start = scope.infer(node.start)
    bound = bind_iteration(node.binding, scope)
    if start is None or bound is None:
        return None
    count = bound.iteration.count
    if isinstance(count, int) and count > SCAN_STEPS:
        session.error(
            "E0316",
            "a `scan` takes too many steps",
            node.binding.domain.span,
            f"{count} steps, and at most {SCAN_STEPS} are allowed",
        )
        return None
    if start.sort not in VALUES:
        session.error(
            "E0301",
            f"the state of a `scan` is a value, not {describe(start.type)}",
            node.start.span,
            f"this is {describe(start.type)}",
        )
        return None
    symbol = session.symbol(node.state.name, SymbolKind.STATE, node.state.span)
    stage = max(start.stage, bound.stage)
    while True:
        inside = bound.scope.inner()
        state = Type(start.sort, start.shape, stage)
        inside.bind(node.state, "state", Binding(symbol=symbol, type=state))
        body = inside.infer(node.body)
        if body is None or not _check_step(start, body, node, scope):
            return None
        # Both can only rise, and not for long: int to real, and two later stages.
        if start.sort is Sort.INT and body.sort is Sort.REAL:
            start = to_real(start)
        elif body.stage > stage:
            stage = body.stage
        else:
            break
    return Value(
        expression=formulas.Scan(
            state=symbol,
            start=start.expression,
            iteration=bound.iteration,
            body=convert(body, start.sort).expression,
            type=Type(start.sort, (count + 1, *start.shape), stage),
            span=node.span,
        )
    )


def _check_step(start: Value, body: Value, node: tree.Scan, scope: Scope) -> bool:
    name = node.state.name
    numbers = start.sort in NUMBERS and body.sort in NUMBERS
    if not numbers and start.sort is not body.sort:
        scope.session.error(
            "E0301",
            f"the state `{name}` begins as {describe(start.type)} "
            f"and becomes {describe(body.type)}",
            node.body.span,
            f"this is {describe(body.type)}",
            secondary=[Label(node.start.span, f"this is {describe(start.type)}")],
        )
        return False
    if start.shape != body.shape:
        scope.session.error(
            "E0319",
            f"the state `{name}` begins as {describe(start.type)} "
            f"and becomes {describe(body.type)}",
            node.body.span,
            f"this is {describe(body.type)}",
            secondary=[Label(node.start.span, f"this is {describe(start.type)}")],
            helps=("let the start have the shape of all states: `zeros(2)`, for example",)
            if not start.shape
            else (),
        )
        return False
    return True
