"""Definitions: what `const`, `let`, `given`, `var` and `part` stand for.

Each function returns what the name of a statement stands for, and adds to the body under work
what the program has to define; None where the statement has an error, which is reported.
"""

from ebmlang.check import formulas, program
from ebmlang.check.arguments import infer_weight
from ebmlang.check.calls import build_part
from ebmlang.check.constants import ELEMENTS, LARGEST_INT, NotFinite, NotKnown, TooCostly, evaluate
from ebmlang.check.conversion import to_condition, to_real
from ebmlang.check.domains import build_given_type, build_variable_domain
from ebmlang.check.formulas import SymbolKind
from ebmlang.check.scope import Scope
from ebmlang.check.value import Binding, PartTarget, Target, Value, describe, literal, snippet
from ebmlang.lang import VALUES, Shape, Sort, Stage, Type
from ebmlang.lang.operator import ShapeError, broadcast
from ebmlang.source import Label, Span
from ebmlang.syntax import tree


def resolve_const(statement: tree.Const, scope: Scope) -> Target | None:
    """Return what a `const` stands for."""
    session = scope.session
    name = statement.name.name
    span = statement.value.span
    if scope.context.main and name in session.constants:
        value: Value | None = literal(session.constants[name], span)
    else:
        value = scope.infer(statement.value)
    if value is None or not _check_constant(value, statement, scope):
        return None
    found = _evaluate(value, f"`const {name}`", scope, is_const=True)
    if found is None:
        return None
    symbol = session.symbol(name, SymbolKind.CONST, statement.name.span)
    return _define(symbol, found, statement.span, scope)


def _check_constant(value: Value, statement: tree.Const, scope: Scope) -> bool:
    session = scope.session
    name = statement.name.name
    if value.sort not in VALUES:
        session.error(
            "E0301",
            f"`const {name}` is a number or a truth value, not {describe(value.type)}",
            statement.value.span,
            f"this is {describe(value.type)}",
            helps=(f"`let {name} = ...`",),
        )
        return False
    if value.stage is not Stage.CONSTANT:
        when = "once the data is there" if value.stage is Stage.GIVEN else "during the search"
        session.error(
            "E0304",
            f"`const {name}` is not known when the spec is compiled",
            statement.value.span,
            f"this is known only {when}",
            helps=(f"`let {name} = {snippet(statement.value.span, '...')}`",),
        )
        return False
    return True


def _evaluate(value: Value, what: str, scope: Scope, *, is_const: bool) -> Value | None:
    """Return a constant as a literal where it is a scalar; report one that is not finite."""
    session = scope.session
    try:
        array = evaluate(value.expression, session)
    except NotFinite as error:
        session.error("E0321", f"{what} is not a finite number", error.span, "not finite here")
        return None
    except TooCostly:
        if is_const:
            session.error(
                "E0316",
                f"{what} takes too much work to find out",
                value.span,
                f"more than {ELEMENTS} elements or steps",
                helps=("use `let`, which is computed when the spec runs",),
            )
            return None
        return value
    except NotKnown:
        return value
    if array.dtype.kind == "f" and bool((array != array).any()):
        session.error("E0321", f"{what} is not a finite number", value.span, "this is nan")
        return None
    if not is_const or array.shape:
        return value
    number = value.dim if isinstance(value.dim, int) else array.item()
    if isinstance(number, int) and abs(number) > LARGEST_INT:
        session.error(
            "E0316",
            "a whole number is too large",
            value.span,
            "this does not fit into 64 bits",
            helps=("make it a real number: `1e30`",),
        )
        return None
    return literal(number, value.span)


def resolve_let(statement: tree.Let, scope: Scope) -> Target | None:
    """Return what a `let` stands for."""
    session = scope.session
    around, session.statement = session.statement, statement.name.name
    value = scope.infer(statement.value)
    session.statement = around
    if value is None:
        return None
    if value.stage is Stage.CONSTANT and value.sort in VALUES:
        what = f"`let {statement.name.name}`"
        value = _evaluate(value, what, scope, is_const=False)
        if value is None:
            return None
    symbol = session.symbol(statement.name.name, SymbolKind.LET, statement.name.span)
    return _define(symbol, value, statement.span, scope)


def _define(symbol: formulas.Symbol, value: Value, span: Span, scope: Scope) -> Binding:
    scope.session.define(symbol, value.expression)
    scope.context.definitions.append(program.Let(symbol=symbol, value=value.expression, span=span))
    return Binding(symbol=symbol, type=value.type, dim=value.dim, density=value.density)


def resolve_given(statement: tree.Given, scope: Scope) -> Target | None:
    """Return what a `given` stands for."""
    session = scope.session
    found = build_given_type(statement.domain, scope)
    default = None if statement.default is None else scope.infer(statement.default)
    if found is None:
        return None
    sort, shape = found
    taken = None
    if statement.default is not None:
        if default is None:
            return None
        taken = _check_default(default, sort, shape, statement, scope)
        if taken is None:
            return None
    symbol = session.symbol(statement.name.name, SymbolKind.GIVEN, statement.domain.span)
    type_ = Type(sort, shape, Stage.GIVEN)
    scope.context.givens.append(
        program.Given(
            symbol=symbol,
            type=type_,
            default=None if taken is None else taken.expression,
            span=statement.span,
        )
    )
    return Binding(symbol=symbol, type=type_)


def _check_default(
    default: Value, sort: Sort, shape: Shape, statement: tree.Given, scope: Scope
) -> Value | None:
    session = scope.session
    name = statement.name.name
    if sort is Sort.REAL and default.sort is Sort.INT:
        default = to_real(default)
    if sort is Sort.BOOL and default.sort is Sort.CONSTRAINT:
        condition = to_condition(default, session, "a default")
        if condition is None:
            return None
        default = condition
    if default.sort is not sort:
        session.error(
            "E0301",
            f"the default of `{name}` is `{sort.value}`, not {describe(default.type)}",
            default.span,
            f"this is {describe(default.type)}",
            secondary=[Label(statement.domain.span, "declared here")],
        )
        return None
    if default.stage is not Stage.CONSTANT:
        session.error(
            "E0304",
            f"the default of `{name}` is not known when the spec is compiled",
            default.span,
            "not constant",
        )
        return None
    what = f"the default of `{name}`"
    if _evaluate(default, what, scope, is_const=False) is None:
        return None
    return _fit_default(default, shape, statement, scope)


def _fit_default(default: Value, shape: Shape, statement: tree.Given, scope: Scope) -> Value | None:
    """Return a default in the shape of its input; a size that data binds takes the default's."""
    named = len(default.shape) == len(shape) and all(
        size == other or not isinstance(size, int)
        for size, other in zip(shape, default.shape, strict=False)
    )
    if named or default.shape == shape:
        return default
    try:
        fits = broadcast(default.shape, shape) == shape
    except ShapeError:
        fits = False
    if not fits or not all(isinstance(size, int) for size in shape):
        wanted = describe(Type(default.sort, shape))
        scope.session.error(
            "E0302",
            f"the default of `{statement.name.name}` is {describe(default.type)}, not {wanted}",
            default.span,
            f"this is {describe(default.type)}",
            secondary=[Label(statement.domain.span, "declared here")],
        )
        return None
    expression = formulas.Apply(
        operator="expand",
        arguments=(default.expression,),
        options=(("shape", shape),),
        type=Type(default.sort, shape, default.stage),
        span=default.span,
    )
    return Value(expression=expression)


def resolve_variable(statement: tree.Var, scope: Scope) -> Target | None:
    """Return what a `var` stands for."""
    session = scope.session
    domain = build_variable_domain(statement.domain, scope)
    if domain is None:
        return None
    symbol = session.symbol(statement.name.name, SymbolKind.VARIABLE, statement.domain.span)
    type_ = Type(Sort.REAL, domain.shape, Stage.UNKNOWN)
    scope.context.variables.append(
        program.Variable(symbol=symbol, type=type_, domain=domain, span=statement.name.span)
    )
    return Binding(symbol=symbol, type=type_)


def resolve_part(statement: tree.Part, scope: Scope) -> Target | None:
    """Return what a `part` stands for."""
    weight: float | None = 1.0
    if statement.weight is not None:
        weight = infer_weight(statement.weight, statement.name.name, scope)
    built = build_part(statement, 1.0 if weight is None else weight, scope)
    if built is None:
        return None
    part, inner = built
    scope.session.parts[part.symbol] = part
    scope.context.definitions.append(part)
    return PartTarget((part.symbol,), part.instance.name, inner)
