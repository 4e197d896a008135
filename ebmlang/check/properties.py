"""Properties: constraints over names of their own, over the file's variables and over its terms."""

from collections.abc import Sequence

from ebmlang.check import program
from ebmlang.check.claims import Counted, Property
from ebmlang.check.conversion import to_constraint
from ebmlang.check.domains import build_counted_domain, build_variable_domain
from ebmlang.check.formulas import SymbolKind
from ebmlang.check.program import Given, Let, Term, Variable
from ebmlang.check.scope import Entry, Scope
from ebmlang.check.value import Binding
from ebmlang.lang import NUMBERS, Sort, Stage, Type
from ebmlang.source import Label, Span
from ebmlang.syntax import tree

_COUNTED = ("int", "bool")


def build_properties(
    statements: Sequence[tree.Statement], terms: Sequence[Term], scope: Scope
) -> tuple[Property, ...]:
    """Return the properties of the main file; what is wrong is reported and left out."""
    _check_names(statements, scope)
    found = []
    for statement in statements:
        if isinstance(statement, tree.Property):
            scope.session.resume()
            built = _build(statement, terms, scope)
            if built is not None:
                found.append(built)
    return tuple(found)


def _check_names(statements: Sequence[tree.Statement], scope: Scope) -> None:
    """Report names that two claims share, or a property and a term: examples speak of both."""
    terms: dict[str, Span] = {}
    claims: dict[str, Span] = {}
    for statement in statements:
        if isinstance(statement, tree.Term | tree.Part | tree.Var):
            terms[statement.name.name] = statement.name.span
    for statement in statements:
        if isinstance(statement, tree.Property | tree.Example):
            name = statement.name
            other = claims.setdefault(name.name, name.span)
            if other is name.span and isinstance(statement, tree.Property):
                other = terms.get(name.name, name.span)
            if other is not name.span:
                scope.session.error(
                    "E0202",
                    f"`{name.name}` is declared twice",
                    name.span,
                    "the second one",
                    secondary=[Label(other, "the first one")],
                )


def _build(statement: tree.Property, terms: Sequence[Term], scope: Scope) -> Property | None:
    inside = scope.inner()
    bound = []
    for unknown in statement.unknowns:
        bound.append(_bind(unknown, scope, inside))
        # Known without a meaning, where what is wrong with it has been said.
        inside.values.setdefault(unknown.name.name, _nothing(unknown.name, inside))
    named = _bind_terms(terms, scope, inside)
    value = inside.infer(statement.body)
    if value is None or None in bound:
        return None
    constraint = to_constraint(value, scope.session, "a `property`")
    if constraint is None:
        return None
    return Property(
        name=statement.name.name,
        unknowns=tuple(one for one in bound if isinstance(one, Variable)),
        counted=tuple(one for one in bound if isinstance(one, Counted)),
        definitions=tuple(let for entry, let in named if entry.used),
        value=constraint.expression,
        place=statement.body.span,
        span=statement.span,
    )


def _bind(unknown: tree.Parameter, scope: Scope, inside: Scope) -> Variable | Counted | None:
    """Bind a name to what will be drawn from its domain."""
    session = scope.session
    name, domain = unknown.name, unknown.domain
    assert domain is not None
    # An example sets the file's variables beside these, by name.
    other = inside.values.get(name.name) or scope.values.get(name.name)
    if other is not None:
        session.error(
            "E0202",
            f"`{name.name}` is declared twice",
            name.span,
            "the second one",
            secondary=[Label(other.span, "the first one")],
        )
        return None
    if domain.word in _COUNTED:
        found = build_counted_domain(domain, scope)
        if found is None:
            return None
        type_, bounds = found
        symbol = session.symbol(name.name, SymbolKind.GIVEN, domain.span)
        inside.bind(name, "given", Binding(symbol=symbol, type=type_, bounds=bounds))
        given = Given(symbol=symbol, type=type_, default=None, span=name.span)
        return Counted(given=given, bounds=bounds)
    lives_in = build_variable_domain(domain, scope)
    if lives_in is None:
        return None
    symbol = session.symbol(name.name, SymbolKind.VARIABLE, domain.span)
    type_ = Type(Sort.REAL, lives_in.shape, Stage.UNKNOWN)
    inside.bind(name, "var", Binding(symbol=symbol, type=type_))
    return Variable(symbol=symbol, type=type_, domain=lives_in, span=name.span)


def _nothing(name: tree.Identifier, inside: Scope) -> Entry:
    return Entry(name.name, name.span, "var", inside.session, lambda: None)


def _bind_terms(terms: Sequence[Term], scope: Scope, inside: Scope) -> list[tuple[Entry, Let]]:
    """Let the names of terms stand for their values, where no value has the name."""
    session = scope.session
    named = []
    for term in terms:
        sort = term.value.type.sort
        if sort not in (Sort.CONSTRAINT, *NUMBERS) or inside.find_value(term.name) is not None:
            continue
        symbol = session.symbol(term.name, SymbolKind.LET, term.span)
        session.define(symbol, term.value)
        name = tree.Identifier(name=term.name, span=term.span)
        inside.bind(name, "let", Binding(symbol=symbol, type=term.value.type))
        let = program.Let(symbol=symbol, value=term.value, span=term.span)
        named.append((inside.values[term.name], let))
    return named
