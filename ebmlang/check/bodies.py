"""Bodies: all statements of a file, or of a spec at one instance, in one typed form."""

from collections.abc import Sequence

from ebmlang.check import program
from ebmlang.check.arguments import infer_weight
from ebmlang.check.constants import find_truth
from ebmlang.check.conversion import FORMULAS, to_constraint, to_real
from ebmlang.check.densities import build_density
from ebmlang.check.names import Namespace
from ebmlang.check.program import Body, Role
from ebmlang.check.scope import Scope, find_binding
from ebmlang.check.statements import declare
from ebmlang.check.value import Value, describe, snippet
from ebmlang.lang import NUMBERS, VALUES, Sort, Stage
from ebmlang.source import Label, Span
from ebmlang.syntax import tree

_SOFT = frozenset({Sort.CONSTRAINT, Sort.DENSITY, Sort.ENERGY})


def build_body(statements: Sequence[tree.Statement], scope: Scope) -> Body:
    """Return what the statements of a body mean; what is wrong is reported and left out."""
    for namespace, name in declare(statements, scope):
        scope.session.resume()
        if namespace is Namespace.VALUE:
            scope.values[name].target()
    _check_paths(statements, scope)
    terms: list[program.Term] = []
    reports: list[program.Derived] = []
    for statement in statements:
        scope.session.resume()
        match statement:
            case tree.Var(prior=tree.Call()):
                term = _build_prior(statement, scope)
            case tree.Term():
                term = _build_term(statement, scope)
            case tree.ReportValue():
                report = _build_report(statement, scope)
                if report is not None:
                    reports.append(report)
                continue
            case _:
                continue
        if term is not None:
            terms.append(term)
            _check_constant(term, scope)
    context = scope.context
    context.tolerance()
    return Body(
        givens=tuple(sorted(context.givens, key=lambda given: given.span.start)),
        variables=tuple(sorted(context.variables, key=lambda variable: variable.span.start)),
        definitions=tuple(context.definitions),
        terms=tuple(terms),
        reports=tuple(reports),
    )


def _check_paths(statements: Sequence[tree.Statement], scope: Scope) -> None:
    """Report paths that two terms share; parts and priors have paths too."""
    session = scope.session
    terms: dict[str, Span] = {}
    reports: dict[str, Span] = {}
    for statement in statements:
        match statement:
            case tree.Term() | tree.Part() | tree.Var(prior=tree.Call()):
                seen, what = terms, "term"
            case tree.ReportValue():
                seen, what = reports, "report"
            case _:
                continue
        name = statement.name
        other = seen.get(name.name)
        if other is None:
            seen[name.name] = name.span
        elif (
            isinstance(statement, tree.Term | tree.ReportValue)
            or scope.values[name.name].span != other
        ):
            prior = isinstance(statement, tree.Var)
            session.error(
                "E0202",
                f"two terms have the path `{name.name}`"
                if what == "term"
                else f"`{name.name}` is reported twice",
                name.span,
                "its prior has this path" if prior else "the second one",
                secondary=[Label(other, "the first one")],
            )


def _build_prior(statement: tree.Var, scope: Scope) -> program.Term | None:
    assert statement.prior is not None
    name = statement.name
    entry = scope.values.get(name.name)
    binding = None if entry is None else find_binding(entry)
    left = None if binding is None else binding.refer(name.span)
    span = statement.prior.span
    value = build_density(left, statement.prior, span, scope)
    if value is None:
        return None
    return program.Term(
        name=name.name, role=Role.PREFER, value=value.expression, weight=1.0, span=span
    )


def _build_term(statement: tree.Term, scope: Scope) -> program.Term | None:
    scope.session.statement = statement.name.name
    value = scope.infer(statement.value)
    weight: float | None = 1.0
    if statement.weight is not None:
        if statement.word == "require":
            _report_weight(statement, scope)
        weight = infer_weight(statement.weight, statement.name.name, scope)
    if value is None:
        return None
    role = Role(statement.word)
    match role:
        case Role.REQUIRE:
            taken = _take_hard(value, statement, scope)
        case Role.PREFER:
            taken = _take_soft(value, statement, scope)
        case Role.MINIMIZE | Role.MAXIMIZE:
            taken = _take_objective(value, statement, scope)
    if taken is None or weight is None:
        return None
    return program.Term(
        name=statement.name.name,
        role=role,
        value=taken.expression,
        weight=weight,
        span=statement.span,
    )


def _report_weight(statement: tree.Term, scope: Scope) -> None:
    assert statement.weight is not None
    name = statement.name.name
    text, weight = snippet(statement.value.span, "a <= b"), snippet(statement.weight.span, "2")
    scope.session.error(
        "E0303",
        "a `require` has no weight: it holds, or the point is no solution",
        statement.weight.span,
        "weight of a `require`",
        helps=(f"`prefer {name}: {text} weight {weight}`",),
    )


def _take_hard(value: Value, statement: tree.Term, scope: Scope) -> Value | None:
    if value.sort in FORMULAS:
        return to_constraint(value, scope.session, "a `require`")
    text = snippet(statement.value.span, "x")
    name = statement.name.name
    helps: tuple[str, ...] = ()
    if value.sort in NUMBERS:
        helps = (f"compare it: `require {name}: {text} <= 1`",)
    elif value.sort in _SOFT:
        helps = (f"`prefer {name}: {text}`",)
    scope.session.error(
        "E0314",
        f"a `require` needs a constraint, not {describe(value.type)}",
        statement.value.span,
        f"this is {describe(value.type)}",
        helps=helps,
    )
    return None


def _take_soft(value: Value, statement: tree.Term, scope: Scope) -> Value | None:
    if value.sort in _SOFT:
        return value
    if value.sort is Sort.BOOL:
        return to_constraint(value, scope.session, "a `prefer`")
    text = snippet(statement.value.span, "x")
    name = statement.name.name
    helps: tuple[str, ...] = ()
    if not value.shape:
        helps = (f"`minimize {name}: {text}`", f"`prefer {name}: energy({text})`")
    scope.session.error(
        "E0301",
        f"a `prefer` takes a constraint, a density or an energy, not {describe(value.type)}",
        statement.value.span,
        f"this is {describe(value.type)}",
        helps=helps,
    )
    return None


def _take_objective(value: Value, statement: tree.Term, scope: Scope) -> Value | None:
    session = scope.session
    word, name = statement.word, statement.name.name
    text = snippet(statement.value.span, "x")
    if value.sort in NUMBERS and not value.shape:
        return to_real(value)
    if value.sort in NUMBERS:
        session.error(
            "E0310",
            f"`{word}` takes one number, not {describe(value.type)}",
            statement.value.span,
            f"this is {describe(value.type)}",
            helps=(f"`{word} {name}: sum({text})`",),
        )
        return None
    session.error(
        "E0301",
        f"`{word}` takes a number, not {describe(value.type)}",
        statement.value.span,
        f"this is {describe(value.type)}",
        helps=(f"`prefer {name}: {text}`",) if word == "minimize" else (),
    )
    return None


def _build_report(statement: tree.ReportValue, scope: Scope) -> program.Derived | None:
    value = scope.infer(statement.value)
    if value is None:
        return None
    if value.sort not in VALUES:
        scope.session.error(
            "E0301",
            f"a `report` stores a number or an array, not {describe(value.type)}",
            statement.value.span,
            f"this is {describe(value.type)}",
            helps=("terms are reported by themselves: their energies and margins",),
        )
        return None
    return program.Derived(name=statement.name.name, value=value.expression, span=statement.span)


def _check_constant(term: program.Term, scope: Scope) -> None:
    """Say that a term depends on nothing; a `require` that can never hold is an error."""
    if term.value.type.stage is not Stage.CONSTANT:
        return
    session = scope.session
    holds = None
    if term.value.type.sort is Sort.CONSTRAINT:
        holds = find_truth(Value(expression=term.value), session)
        if holds is None:
            return
    if term.role is Role.REQUIRE and holds is False:
        session.error(
            "E0315",
            f"`{term.name}` can never hold",
            term.value.span,
            "this is false, whatever the variables are",
        )
        return
    if session.frames:
        # True of this call of the spec; others may differ.
        return
    label = {True: "this always holds", False: "this never holds", None: "this is a constant"}
    session.error(
        "W0331",
        f"the term `{term.name}` does not depend on any variable or input",
        term.value.span,
        label[holds],
    )
