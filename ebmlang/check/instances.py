"""Instances of functions and specs: one for each combination of argument types.

An instance is checked with the types, and where they are fixed the values, of its arguments;
a message about its inside also shows the call that leads there. Instances are remembered, so
that functions calling functions cost no more than their text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_size
from ebmlang.check.conversion import to_condition, to_real
from ebmlang.check.formulas import Symbol, SymbolKind
from ebmlang.check.logic import settle_density
from ebmlang.check.names import bare_sizes
from ebmlang.check.program import FunctionInstance, SpecInstance
from ebmlang.check.scope import (
    Context,
    FunctionDefinition,
    Scope,
    SpecDefinition,
    is_known_name,
)
from ebmlang.check.session import Session
from ebmlang.check.value import Binding, DensityFacts, SizeTarget, Value, describe, size_value
from ebmlang.lang import NUMBERS, Dim, Sort
from ebmlang.source import Label, Span
from ebmlang.syntax import tree


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """Arguments that fit, and the scope in which the parameters stand for them."""

    scope: Scope
    symbols: tuple[Symbol, ...]
    values: tuple[Value, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What an instance depends on besides its definition."""
        return tuple((value.type, value.dim, value.density) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FunctionRecord:
    instance: FunctionInstance | None
    result: Value | None
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecRecord:
    """A spec's instance, and the scope that holds the names of its members."""

    instance: SpecInstance
    scope: Scope
    height: int


def call_function(
    definition: FunctionDefinition, values: Sequence[Value], span: Span, session: Session
) -> Value | None:
    """Return a call of a user's function; None, and reported, where it does not fit."""
    frame = _show_frame(values, span)
    context = definition.scope.context
    bound = _bind(definition, values, frame, context, session)
    if bound is None:
        return None
    key = (definition, bound.key)
    record: _FunctionRecord | None = session.instances.get(key)
    if record is None:
        record = _check_function(definition, bound, frame, session)
        session.instances[key] = record
    elif not _fits(record.height, span, session):
        return None
    if record.instance is None or record.result is None:
        return None
    result = record.result
    expression = formulas.Call(
        instance=record.instance,
        arguments=tuple(value.expression for value in bound.values),
        type=result.type,
        span=span,
    )
    density = _substitute(result.density, bound, session)
    value = Value(expression=expression, dim=result.dim, density=density)
    return settle_density(value, session)


def _check_function(
    definition: FunctionDefinition, bound: _Bound, frame: Label, session: Session
) -> _FunctionRecord:
    statement = definition.statement
    session.instantiated.add(id(statement))
    frames, session.frames = session.frames, (*session.frames, frame)
    before = session.begin_measure()
    try:
        result = bound.scope.infer(statement.body)
    finally:
        session.frames = frames
        height = session.end_measure(before)
    if result is None:
        return _FunctionRecord(instance=None, result=None, height=height)
    instance = FunctionInstance(
        name=statement.name.name,
        parameters=bound.symbols,
        parameter_types=tuple(value.type for value in bound.values),
        result=result.expression,
        span=statement.span,
    )
    return _FunctionRecord(instance=instance, result=result, height=height)


def _substitute(facts: DensityFacts | None, bound: _Bound, session: Session) -> DensityFacts | None:
    if facts is None:
        return None
    keys = session.keys
    replacements = {
        symbol: keys.key(value.expression)
        for symbol, value in zip(bound.symbols, bound.values, strict=True)
    }
    lefts, parameters = (
        frozenset(keys.substitute(key, replacements) for key in side)
        for side in (facts.lefts, facts.parameters)
    )
    return DensityFacts(lefts, parameters)


def instantiate_spec(
    definition: SpecDefinition, values: Sequence[Value], span: Span, session: Session
) -> tuple[SpecRecord, tuple[Value, ...]] | None:
    """Return a spec's instance for some arguments, and the arguments as it takes them."""
    frame = _show_frame(values, span)
    outer = definition.scope.context
    statement = definition.statement
    context = Context(
        logic=outer.logic,
        tolerance=outer.tolerance,
        owner=f"{outer.owner}{statement.name.name}.",
        standard=outer.standard,
    )
    bound = _bind(definition, values, frame, context, session)
    if bound is None:
        return None
    key = (definition, bound.key)
    record: SpecRecord | None = session.instances.get(key)
    if record is None:
        record = _check_spec(definition, bound, frame, session)
        session.instances[key] = record
    elif not _fits(record.height, span, session):
        return None
    return record, bound.values


def _check_spec(
    definition: SpecDefinition, bound: _Bound, frame: Label, session: Session
) -> SpecRecord:
    statement = definition.statement
    session.instantiated.add(id(statement))
    frames, session.frames = session.frames, (*session.frames, frame)
    before = session.begin_measure()
    entered = session.enter(statement.name.span)
    try:
        statements = statement.body if entered else ()
        body = session.build_body(statements, bound.scope)
    finally:
        session.leave()
        session.frames = frames
        height = session.end_measure(before)
    instance = SpecInstance(
        name=statement.name.name,
        parameters=bound.symbols,
        parameter_types=tuple(value.type for value in bound.values),
        body=body,
        span=statement.span,
    )
    return SpecRecord(instance=instance, scope=bound.scope, height=height)


def _fits(height: int, span: Span, session: Session) -> bool:
    fits = session.enter(span, height)
    session.leave(height)
    return fits


def _show_frame(values: Sequence[Value], span: Span) -> Label:
    types = ", ".join(str(value.type) for value in values)
    return Label(span, f"called here with {types}" if types else "called here")


# --- parameters ----------------------------------------------------------------------


def _bind(
    definition: FunctionDefinition | SpecDefinition,
    values: Sequence[Value],
    frame: Label,
    context: Context,
    session: Session,
) -> _Bound | None:
    """Check arguments against the parameters' domains and bind them, and the sizes they fix."""
    parameters = definition.statement.parameters
    scope = definition.scope.inner(context)
    converted: list[Value] = []
    for parameter, value in zip(parameters, values, strict=True):
        taken = _convert(parameter, value, session)
        if taken is None:
            return None
        converted.append(taken)
    symbols: list[Symbol] = []
    for parameter, value in zip(parameters, converted, strict=True):
        place = parameter.name.span if parameter.domain is None else parameter.span
        symbol = session.symbol(parameter.name.name, SymbolKind.PARAMETER, place)
        symbols.append(symbol)
        if isinstance(value.dim, int):
            session.define(symbol, size_value(value.dim, value.span).expression)
        scope.bind(
            parameter.name,
            "parameter",
            Binding(symbol=symbol, type=value.type, dim=value.dim, density=value.density),
        )
    for parameter, value in zip(parameters, converted, strict=True):
        if parameter.domain is not None and not _check_rank(parameter, value, session):
            return None
        _bind_sizes(parameter, value, scope)
    frames = session.frames
    for parameter, value in zip(parameters, converted, strict=True):
        if parameter.domain is None:
            continue
        for axis, node in enumerate(parameter.domain.shape):
            if isinstance(node, tree.Number) and node.value == value.shape[axis]:
                continue
            session.frames = (*frames, frame)
            try:
                size = infer_size(node, scope)
            finally:
                session.frames = frames
            if size is None:
                return None
            if size != value.shape[axis]:
                _report_size(parameter, value, node, size, axis, session)
                return None
    return _Bound(scope=scope, symbols=tuple(symbols), values=tuple(converted))


def _convert(parameter: tree.Parameter, value: Value, session: Session) -> Value | None:
    domain = parameter.domain
    if domain is None:
        return value
    wanted: str
    match domain.word:
        case "real":
            if value.sort in NUMBERS:
                return to_real(value)
            wanted = "a number"
        case "int":
            if value.sort is Sort.INT:
                return value
            wanted = "a whole number"
        case _:
            if value.sort in (Sort.BOOL, Sort.CONSTRAINT):
                return to_condition(value, session, f"`{parameter.name.name}`")
            wanted = "a truth value"
    session.error(
        "E0301",
        f"`{parameter.name.name}` is {wanted}, not {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        secondary=[Label(parameter.span, "declared here")],
    )
    return None


def _check_rank(parameter: tree.Parameter, value: Value, session: Session) -> bool:
    assert parameter.domain is not None
    wanted = len(parameter.domain.shape)
    if wanted == len(value.shape):
        return True
    _report_shape(parameter, value, session)
    return False


def _bind_sizes(parameter: tree.Parameter, value: Value, scope: Scope) -> None:
    """Let a size name that is declared nowhere stand for the size of the argument."""
    if parameter.domain is None:
        return
    bare = {id(name) for name in bare_sizes(parameter.domain)}
    for node, size in zip(parameter.domain.shape, value.shape, strict=True):
        if isinstance(node, tree.Name) and id(node) in bare and not is_known_name(node.name, scope):
            name = tree.Identifier(name=node.name, span=node.span)
            scope.bind(name, "size", SizeTarget(size))


def _report_size(
    parameter: tree.Parameter,
    value: Value,
    node: tree.Expression,
    size: Dim,
    axis: int,
    session: Session,
) -> None:
    text = node.span.text
    if not isinstance(node, tree.Name) or str(size) == text:
        _report_shape(parameter, value, session)
        return
    session.error(
        "E0302",
        f"`{parameter.name.name}` has size `{text}`, which is {size} in this call",
        value.span,
        f"this has size {value.shape[axis]}",
        secondary=[Label(parameter.span, "declared here")],
    )


def _report_shape(parameter: tree.Parameter, value: Value, session: Session) -> None:
    assert parameter.domain is not None
    session.error(
        "E0302",
        f"`{parameter.name.name}` is declared `{parameter.domain.span.text}`, "
        f"and the argument is {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        secondary=[Label(parameter.span, "declared here")],
    )
