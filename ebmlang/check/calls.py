"""Calls by name: of functions, specs, functions from outside, and built-in forms."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_all, match_plain, match_values
from ebmlang.check.arrays import FORMS as ARRAY_FORMS
from ebmlang.check.conversion import check_numbers, convert, to_real
from ebmlang.check.externs import Extern
from ebmlang.check.formulas import RelationOperator
from ebmlang.check.instances import call_function, instantiate_spec
from ebmlang.check.iterations import DOMAIN_FORMS
from ebmlang.check.logic import FORMS as ENERGY_FORMS
from ebmlang.check.members import find_target
from ebmlang.check.operators import call_operator
from ebmlang.check.program import Body, Part, SpecInstance
from ebmlang.check.scope import CallableEntry, FunctionDefinition, Scope, SpecDefinition
from ebmlang.check.value import ModuleTarget, Value, latest, literal, snippet
from ebmlang.lang import Sort, Stage, Type
from ebmlang.lang.distributions import DISTRIBUTIONS
from ebmlang.lang.table import OPERATORS
from ebmlang.source import Label
from ebmlang.syntax import tree

_FORMS: Mapping[str, Callable[[tree.Call, Scope], Value | None]] = MappingProxyType(
    {**ARRAY_FORMS, **ENERGY_FORMS}
)

BUILT_IN = frozenset(
    {
        *(name for name, operator in OPERATORS.items() if operator.callable_by_name),
        *_FORMS,
        *DOMAIN_FORMS,
        *DISTRIBUTIONS,
    }
)
"""Names of callables that a file cannot redefine."""


def infer_call(call: tree.Call, scope: Scope) -> Value | None:
    """Return the value of a call."""
    entry = find_callable(call, scope)
    if isinstance(entry, CallableEntry):
        return _call_entry(entry, call, scope)
    if isinstance(call.function, tree.Name):
        name = call.function.name
        form = _FORMS.get(name)
        if form is not None:
            return form(call, scope)
        operator = OPERATORS.get(name)
        if operator is not None and (operator.callable_by_name or scope.context.standard):
            return call_operator(operator, call, scope)
        _report_unknown_callable(name, call, scope)
    infer_all([argument.value for argument in call.arguments], scope)
    return None


def find_callable(call: tree.Call, scope: Scope) -> CallableEntry | None:
    """Return what the user's name before the parentheses stands for.

    None where it is not the user's, or, and that is reported, where a module has no such name.
    """
    if isinstance(call.function, tree.Name):
        return scope.find_callable(call.function.name)
    session = scope.session
    field = call.function
    target = None
    if isinstance(field.base, tree.Name | tree.Field):
        target = find_target(field.base, scope)
        if target is None:
            return None
    name = field.name.name
    if not isinstance(target, ModuleTarget):
        session.error(
            "E0204",
            f"`{field.base.span.text}` has nothing to call",
            field.span,
            "only a module lends functions",
        )
        return None
    entry = target.scope.callables.get(name)
    if entry is None and name not in session.muted:
        meant = session.closest(name, target.scope.callables)
        session.error(
            "E0204",
            f"module `{field.base.span.text}` has no function or spec `{name}`",
            field.name.span,
            f"did you mean `{meant}`?" if meant else "unknown there",
        )
    return entry


def _call_entry(entry: CallableEntry, call: tree.Call, scope: Scope) -> Value | None:
    match entry.callee:
        case None:
            infer_all([argument.value for argument in call.arguments], scope)
            return None
        case Extern() as extern:
            return _call_extern(extern, call, scope)
        case FunctionDefinition() as definition:
            values = _match(definition, call, scope)
            if values is None:
                return None
            return call_function(definition, values, call.span, scope.session)
        case SpecDefinition() as definition:
            return _call_spec(definition, call, scope)


def _match(
    definition: FunctionDefinition | SpecDefinition, call: tree.Call, scope: Scope
) -> list[Value] | None:
    statement = definition.statement
    names = [parameter.name.name for parameter in statement.parameters]
    return match_values(call, names, scope, statement.name.span)


# --- specs ---------------------------------------------------------------------------


def _call_spec(definition: SpecDefinition, call: tree.Call, scope: Scope) -> Value | None:
    """Return a spec as an expression: the AND of its terms."""
    session = scope.session
    values = _match(definition, call, scope)
    if values is None:
        return None
    found = instantiate_spec(definition, values, call.span, session)
    if found is None:
        return None
    record, arguments = found
    bodies = _bodies(record.instance)
    declared = [variable.span for body in bodies for variable in body.variables]
    declared += [given.span for body in bodies for given in body.givens]
    if declared:
        name = definition.statement.name.name
        session.error(
            "E0317",
            f"`{name}` has variables or givens of its own, so it is not an expression",
            call.span,
            "used as an expression here",
            secondary=[Label(declared[0], "declared here")],
            helps=(f"give it a name: `part p = {snippet(call.span, f'{name}(...)')}`",),
        )
        return None
    types = [term.value.type for body in bodies for term in body.terms]
    constraints = all(type_.sort is Sort.CONSTRAINT for type_ in types)
    stage = max([latest(*arguments), *(type_.stage for type_ in types)])
    return Value(
        expression=formulas.SpecCall(
            instance=record.instance,
            arguments=tuple(argument.expression for argument in arguments),
            logic=record.scope.context.logic,
            type=Type(Sort.CONSTRAINT if constraints else Sort.ENERGY, (), stage),
            span=call.span,
        )
    )


def build_part(statement: tree.Part, weight: float, scope: Scope) -> tuple[Part, Scope] | None:
    """Return an instance of a spec under a name, and the scope of its members."""
    session = scope.session
    call = statement.instance
    entry = find_callable(call, scope)
    if entry is None or not isinstance(entry.callee, SpecDefinition):
        name = call.function.span.text
        if entry is None and isinstance(call.function, tree.Name):
            specs = [
                name
                for inner in scope.outwards()
                for name, other in inner.callables.items()
                if other.word == "spec"
            ]
            meant = session.closest(name, specs)
            if name not in session.muted:
                session.error(
                    "E0204",
                    f"no spec is called `{name}`",
                    call.function.span,
                    f"did you mean `{meant}`?" if meant else "a part is an instance of a `spec`",
                )
        elif entry is not None and entry.callee is not None:
            session.error(
                "E0301",
                f"`{name}` is a function, not a spec",
                call.function.span,
                "a part is an instance of a `spec`",
                helps=(
                    f"name its value: `let {statement.name.name} = "
                    f"{snippet(call.span, f'{name}(...)')}`",
                ),
            )
        infer_all([argument.value for argument in call.arguments], scope)
        return None
    values = _match(entry.callee, call, scope)
    if values is None:
        return None
    found = instantiate_spec(entry.callee, values, call.span, session)
    if found is None:
        return None
    record, arguments = found
    symbol = session.symbol(statement.name.name, formulas.SymbolKind.PART, statement.name.span)
    part = Part(
        symbol=symbol,
        instance=record.instance,
        arguments=tuple(argument.expression for argument in arguments),
        weight=weight,
        span=statement.span,
    )
    return part, record.scope


def _bodies(instance: SpecInstance) -> list[Body]:
    """Return the bodies of a spec and of the parts in it, each instance once."""
    found: dict[int, Body] = {}
    pending = [instance]
    while pending:
        current = pending.pop()
        if id(current) not in found:
            found[id(current)] = current.body
            parts = [part for part in current.body.definitions if isinstance(part, Part)]
            pending.extend(part.instance for part in parts)
    return list(found.values())


# --- functions from outside ----------------------------------------------------------


def _call_extern(extern: Extern, call: tree.Call, scope: Scope) -> Value | None:
    """Return a call of a function from outside; for a constraint it gives the margin."""
    values = match_plain(call, 0, scope)
    if values is None:
        return None
    refusal = f"`{extern.name}` takes numbers, not {{what}}"
    if not check_numbers(values, scope.session, call.span, refusal):
        return None
    # What it computes is not known here, so it is never a constant.
    stage = max(Stage.GIVEN, latest(*values)) if values else Stage.UNKNOWN
    applied = Value(
        expression=formulas.Apply(
            operator="extern",
            arguments=tuple(to_real(value).expression for value in values),
            options=(("name", extern.name),),
            type=Type(Sort.REAL, extern.shape, stage),
            span=call.span,
        )
    )
    match extern.sort:
        case Sort.CONSTRAINT:
            relation = formulas.Relation(
                operator=RelationOperator.GE,
                left=applied.expression,
                right=literal(0.0, call.span).expression,
                tolerance=literal(1.0, call.span).expression,
                logic=scope.context.logic,
                type=Type(Sort.CONSTRAINT, (), stage),
                span=call.span,
            )
            return Value(expression=relation)
        case Sort.ENERGY:
            return convert(applied, Sort.ENERGY)
        case _:
            return applied


def _report_unknown_callable(name: str, call: tree.Call, scope: Scope) -> None:
    session = scope.session
    span = call.function.span
    if name in session.muted:
        return
    if name in DISTRIBUTIONS:
        example = snippet(call.span, f"{name}(...)")
        session.error(
            "E0204",
            f"`{name}` is a distribution, not a function",
            span,
            "called like a function here",
            helps=(f"say what it is the density of: `x ~ {example}`",),
            calls=False,
        )
        return
    if name in DOMAIN_FORMS:
        session.error(
            "E0204",
            f"`{name}` is only something to run over",
            span,
            "stands behind `in`",
            helps=(f"`forall a, b in {snippet(call.span, f'{name}(x)')}: ...`",),
            calls=False,
        )
        return
    if scope.find_value(name) is not None:
        session.error(
            "E0204",
            f"`{name}` is a value, not a function",
            span,
            "called like a function here",
            helps=(f"elements are taken by brackets: `{name}[...]`",),
            calls=False,
        )
        return
    meant = session.closest(name, [*scope.callable_names(), *BUILT_IN])
    label = f"did you mean `{meant}`?" if meant else "not defined in this file"
    session.error("E0204", f"no function is called `{name}`", span, label, calls=False)
