"""Statements: the names a body declares, each checked when it is first needed."""

from collections.abc import Callable, Sequence
from functools import partial

from ebmlang.check.calls import BUILT_IN
from ebmlang.check.definitions import (
    resolve_const,
    resolve_given,
    resolve_let,
    resolve_part,
    resolve_variable,
)
from ebmlang.check.domains import check_parameter_domain
from ebmlang.check.members import LENT
from ebmlang.check.modules import load_import
from ebmlang.check.names import Definition, Key, Namespace, bare_sizes, find_order, key_of
from ebmlang.check.relations import infer_tolerance
from ebmlang.check.scope import (
    CONSTANT_NAMES,
    CallableEntry,
    Entry,
    FunctionDefinition,
    Scope,
    SpecDefinition,
    is_known_name,
)
from ebmlang.check.value import (
    AbsentTarget,
    ModuleTarget,
    SizeTarget,
    Target,
    Value,
    literal,
)
from ebmlang.lang import Size
from ebmlang.source import Label, Span
from ebmlang.syntax import tree

LOGICS = ("product", "godel")


def declare(statements: Sequence[tree.Statement], scope: Scope) -> list[Key]:
    """Put the names of a body into its scope, and return them in an order of dependence."""
    definitions: list[Definition] = []
    _read_settings(statements, scope)
    for statement in statements:
        match statement:
            case tree.Import():
                _declare_import(statement, scope)
            case tree.Fn() | tree.Spec():
                if _declare_callable(statement, scope):
                    definitions.append(statement)
            case tree.Const() | tree.Given() | tree.Var() | tree.Let() | tree.Part():
                word, resolve = _resolver(statement, scope)
                if _declare_value(statement.name, word, resolve, scope):
                    definitions.append(statement)
            case _:
                pass
    if not scope.context.imported:
        _declare_sizes(statements, scope)
    order, circles = find_order(definitions)
    places = {key_of(definition): definition.name for definition in definitions}
    for circle in circles:
        _report_circle(circle, places, scope)
    return order


def _resolver(
    statement: tree.Const | tree.Given | tree.Var | tree.Let | tree.Part, scope: Scope
) -> tuple[str, Callable[[], Target | None]]:
    absent = scope.context.imported
    match statement:
        case tree.Const():
            return "const", partial(resolve_const, statement, scope)
        case tree.Let():
            return "let", partial(resolve_let, statement, scope)
        case tree.Given():
            resolve: Callable[[], Target | None] = partial(resolve_given, statement, scope)
            return "given", (lambda: AbsentTarget("given")) if absent else resolve
        case tree.Var():
            resolve = partial(resolve_variable, statement, scope)
            return "var", (lambda: AbsentTarget("var")) if absent else resolve
        case tree.Part():
            resolve = partial(resolve_part, statement, scope)
            return "part", (lambda: AbsentTarget("part")) if absent else resolve


# --- names ---------------------------------------------------------------------------


def _declare_value(
    name: tree.Identifier, word: str, resolve: Callable[[], Target | None], scope: Scope
) -> bool:
    if name.name in CONSTANT_NAMES:
        _report_built_in(name, scope)
        return False
    other = scope.values.get(name.name)
    if other is not None:
        _report_twice(name, other.span, scope)
        return False
    scope.values[name.name] = Entry(name.name, name.span, word, scope.session, resolve)
    return True


def _declare_callable(statement: tree.Fn | tree.Spec, scope: Scope) -> bool:
    session = scope.session
    name = statement.name
    if name.name in BUILT_IN and not scope.context.standard:
        _report_built_in(name, scope)
        # Known by name, so that calls of it are silent.
        scope.callables[name.name] = CallableEntry(
            name=name.name, span=name.span, word="fn", callee=None
        )
        return False
    other = scope.callables.get(name.name)
    if other is not None:
        _report_twice(name, other.span, scope)
        return False
    correct = True
    if isinstance(statement, tree.Spec):
        _report_claims_inside(statement, scope)
    seen: dict[str, Span] = {}
    for parameter in statement.parameters:
        if parameter.name.name in seen:
            _report_twice(parameter.name, seen[parameter.name.name], scope)
            correct = False
        seen[parameter.name.name] = parameter.name.span
        correct = check_parameter_domain(parameter, scope) and correct
    callee: FunctionDefinition | SpecDefinition
    if isinstance(statement, tree.Fn):
        word, callee = "fn", FunctionDefinition(statement=statement, scope=scope)
    else:
        word, callee = "spec", SpecDefinition(statement=statement, scope=scope)
    # Known by name, so that calls of it are silent, but not to be instantiated.
    entry = CallableEntry(
        name=name.name, span=name.span, word=word, callee=callee if correct else None
    )
    scope.callables[name.name] = entry
    session.declared_callables.append((entry, scope))
    return correct


def _report_claims_inside(spec: tree.Spec, scope: Scope) -> None:
    for inner in spec.body:
        if isinstance(inner, tree.Priority):
            scope.session.error(
                "E0108",
                "a priority inside a `spec` is not yet supported",
                inner.span,
                "not yet supported",
                helps=("the order of a file names terms of its parts: `priority p.a > p.b`",),
            )
        if isinstance(inner, tree.Property | tree.Example):
            word = "properties" if isinstance(inner, tree.Property) else "examples"
            scope.session.error(
                "E0108",
                f"{word} inside a `spec` are not yet supported",
                inner.name.span,
                "not yet supported",
                helps=(f"{word} of a file speak of its parts: `part p = {spec.name.name}(...)`",),
            )


def _report_twice(name: tree.Identifier, other: Span | None, scope: Scope) -> None:
    scope.session.error(
        "E0202",
        f"`{name.name}` is declared twice",
        name.span,
        "the second one",
        secondary=[] if other is None else [Label(other, "the first one")],
    )


def _report_built_in(name: tree.Identifier, scope: Scope) -> None:
    scope.session.error(
        "E0203",
        f"`{name.name}` is built in",
        name.span,
        "this name is taken",
        helps=(f"choose another name, `my_{name.name}` for example",),
    )


def _declare_import(statement: tree.Import, scope: Scope) -> None:
    session = scope.session
    module = load_import(statement, scope)
    if statement.names is None:
        name = statement.path[-1]
        target = None if module is None else ModuleTarget(module)
        _declare_value(name, "module", lambda: target, scope)
        return
    for name in statement.names:
        if module is None:
            # Said already; whatever uses the name stays silent.
            session.muted.add(name.name)
            continue
        callee = module.callables.get(name.name)
        entry = module.values.get(name.name)
        lent = entry is not None and entry.word in LENT
        if callee is None and not lent:
            _report_unknown_import(name, statement, module, scope)
            continue
        if callee is not None:
            other = scope.callables.get(name.name)
            if other is not None:
                _report_twice(name, other.span, scope)
            scope.callables.setdefault(name.name, callee)
        if entry is not None and lent:
            _declare_value(name, entry.word, entry.target, scope)


def _report_unknown_import(
    name: tree.Identifier, statement: tree.Import, module: Scope, scope: Scope
) -> None:
    session = scope.session
    path = "." * statement.dots + ".".join(word.name for word in statement.path)
    already = name.name in session.muted
    session.muted.add(name.name)
    entry = module.values.get(name.name)
    meant = session.closest(name.name, [*module.callables, *module.values])
    label = f"did you mean `{meant}`?" if meant else "not defined there"
    if already:
        return
    if entry is not None:
        label = f"this is a `{entry.word}`, which an import does not bring along"
    session.error(
        "E0208",
        f"module `{path}` lends no `{name.name}`",
        name.span,
        label,
        notes=("an import lends `const`, `fn` and `spec`",),
        calls=False,
    )


def _declare_sizes(statements: Sequence[tree.Statement], scope: Scope) -> None:
    """Let a bare name in the shape of an input that nothing declares be bound by the data."""
    session = scope.session
    for statement in statements:
        if not isinstance(statement, tree.Given):
            continue
        for node in bare_sizes(statement.domain):
            if is_known_name(node.name, scope):
                continue
            name = scope.context.owner + node.name
            session.sizes.setdefault(name, Size.named(name))
            identifier = tree.Identifier(name=node.name, span=node.span)
            scope.bind(identifier, "size", SizeTarget(session.sizes[name]))


def _report_circle(circle: list[Key], places: dict[Key, tree.Identifier], scope: Scope) -> None:
    for namespace, name in circle:
        if namespace is Namespace.VALUE:
            scope.values[name].poison()
        else:
            scope.callables[name].callee = None
    names = [places[key] for key in circle]
    first = names[0]
    following = [*names[1:], first]
    first_word = scope.callables[first.name].word if circle[0][0] is Namespace.CALLABLE else "let"
    needs = {"fn": "calls", "spec": "holds"}.get(first_word, "needs")
    chain = [f"`{a.name}` {needs} `{b.name}`" for a, b in zip(names, following, strict=True)]
    headline = f"`{first.name}` {'is defined by' if needs == 'needs' else needs} itself"
    if len(names) > 1:
        listed = ", ".join(f"`{name.name}`" for name in names)
        headline = f"definitions go in a circle: {listed}"
    scope.session.error(
        "E0205",
        headline,
        first.span,
        chain[0],
        secondary=[Label(name.span, text) for name, text in zip(names[1:], chain[1:], strict=True)],
        helps=("a recurrence is a `scan`",) if needs == "calls" else (),
    )


# --- settings ------------------------------------------------------------------------


def _read_settings(statements: Sequence[tree.Statement], scope: Scope) -> None:
    session = scope.session
    seen: dict[str, tree.Logic | tree.DefaultTolerance] = {}
    for statement in statements:
        match statement:
            case tree.Logic(name=name):
                key = "logic"
                if name.name not in LOGICS:
                    meant = session.closest(name.name, LOGICS)
                    session.error(
                        "E0201",
                        f"no logic is called `{name.name}`",
                        name.span,
                        f"did you mean `{meant}`?" if meant else "unknown",
                        helps=tuple(f"`logic {logic}`" for logic in LOGICS),
                    )
                elif key not in seen:
                    scope.context.logic = name.name
            case tree.DefaultTolerance(value=value):
                key = "default within"
                if key not in seen:
                    scope.context.tolerance = _default_tolerance(value, scope)
            case _:
                continue
        if key in seen:
            session.error(
                "E0210",
                f"`{key}` is set twice",
                statement.span,
                "the second one",
                secondary=[Label(seen[key].span, "the first one")],
            )
        seen.setdefault(key, statement)


def _default_tolerance(node: tree.Expression, scope: Scope) -> Callable[[], Value | None]:
    """Return what yields the default tolerance, which is checked when first needed."""
    found: list[Value] = []

    def resolve() -> Target | None:
        value = infer_tolerance(node, scope)
        if value is None:
            value = literal(1.0, node.span)
        found.append(value)
        return None

    entry = Entry("default within", node.span, "default", scope.session, resolve)

    def tolerance() -> Value | None:
        entry.target()
        return found[0] if found else literal(1.0, node.span)

    return tolerance
