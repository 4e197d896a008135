"""Functions and specs that nothing uses are checked too, as far as that is possible.

One whose parameters are all declared is checked with them; of any other, only the names.
"""

from ebmlang.check import formulas
from ebmlang.check.calls import BUILT_IN
from ebmlang.check.formulas import SymbolKind
from ebmlang.check.instances import call_function, instantiate_spec
from ebmlang.check.iterations import DOMAIN_FORMS
from ebmlang.check.members import report_unknown_value
from ebmlang.check.names import FreeName, Namespace, bare_sizes, find_free_names
from ebmlang.check.scope import (
    FunctionDefinition,
    Scope,
    SpecDefinition,
    is_known_name,
)
from ebmlang.check.session import Session
from ebmlang.check.value import Value
from ebmlang.lang import Sort, Stage, Type
from ebmlang.lang.table import OPERATORS
from ebmlang.syntax import tree


def check_uncalled(session: Session) -> None:
    """Check what has been declared in the main file and has no instance."""
    place = 0
    # Checking one may declare, and use, others.
    while place < len(session.declared_callables):
        entry, scope = session.declared_callables[place]
        place += 1
        if scope.context.imported or entry.callee is None:
            continue
        match entry.callee:
            case FunctionDefinition() | SpecDefinition() as definition:
                if id(definition.statement) not in session.instantiated:
                    session.instantiated.add(id(definition.statement))
                    _check(definition, scope)
            case _:
                pass


def _check(definition: FunctionDefinition | SpecDefinition, scope: Scope) -> None:
    session = scope.session
    statement = definition.statement
    values = [_stand_in(parameter, session) for parameter in statement.parameters]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        _check_names(statement, scope)
        return
    frames = session.frames
    match definition:
        case FunctionDefinition():
            call_function(definition, known, statement.name.span, session)
        case SpecDefinition():
            instantiate_spec(definition, known, statement.name.span, session)
    session.frames = frames


def _stand_in(parameter: tree.Parameter, session: Session) -> Value | None:
    """Return a value of a parameter's declared type, if that has only numbers as sizes."""
    domain = parameter.domain
    if domain is None or domain.word != "real":
        return None
    shape = tuple(size.value for size in domain.shape if isinstance(size, tree.Number))
    whole = tuple(size for size in shape if isinstance(size, int))
    if len(whole) < len(domain.shape):
        return None
    symbol = session.symbol(parameter.name.name, SymbolKind.PARAMETER, parameter.span)
    type_ = Type(Sort.REAL, whole, Stage.GIVEN)
    expression = formulas.Reference(symbol=symbol, type=type_, span=parameter.name.span)
    return Value(expression=expression)


def _check_names(statement: tree.Fn | tree.Spec, scope: Scope) -> None:
    sizes = {
        name.name
        for parameter in statement.parameters
        if parameter.domain is not None
        for name in bare_sizes(parameter.domain)
    }
    for name in find_free_names(statement):
        if name.namespace is Namespace.VALUE:
            known = name.name in sizes or is_known_name(name.name, scope)
            entry = scope.find_value(name.name)
            if entry is not None:
                entry.used = True
            if not known:
                report_unknown_value(name.name, name.span, scope)
        elif not _is_callable(name, scope):
            session = scope.session
            meant = session.closest(name.name, [*scope.callable_names(), *BUILT_IN])
            session.error(
                "E0204",
                f"no function is called `{name.name}`",
                name.span,
                f"did you mean `{meant}`?" if meant else "not defined in this file",
            )


def _is_callable(name: FreeName, scope: Scope) -> bool:
    if name.name in scope.session.muted or name.name in BUILT_IN | DOMAIN_FORMS:
        return True
    if scope.context.standard and name.name in OPERATORS:
        return True
    return scope.find_callable(name.name) is not None
