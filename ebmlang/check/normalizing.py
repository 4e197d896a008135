"""`normalize(A)`: an energy as a density, A + log Z.

    log Z = log of the integral of exp(-A) over the variables that A depends on

That is one number, estimated once for the data there is. So A depends on variables, inputs and
constants only: inside of a function or a quantifier it would be another number for each call and
each element. Hence `normalize` stands around a call, not inside of what is called.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ebmlang.check import formulas, program
from ebmlang.check.arguments import match_values
from ebmlang.check.conversion import to_energy
from ebmlang.check.formulas import (
    Call,
    Expression,
    Iteration,
    Member,
    Quantified,
    Reference,
    Scan,
    SpecCall,
    Symbol,
    SymbolKind,
)
from ebmlang.check.keys import Atom
from ebmlang.check.program import Body, Part, Role
from ebmlang.check.scope import Scope
from ebmlang.check.session import Session
from ebmlang.check.value import DensityFacts, Value, snippet
from ebmlang.check.walk import children
from ebmlang.lang import Sort, Type
from ebmlang.source import Label, Span
from ebmlang.syntax import tree

_MOVING = frozenset({SymbolKind.PARAMETER, SymbolKind.BINDER, SymbolKind.STATE})
"""What has another value in each call, for each element, at each step."""


def call_normalize(call: tree.Call, scope: Scope) -> Value | None:
    """Return `normalize(energy)`: a density of all the variables that the energy depends on."""
    session = scope.session
    values = match_values(call, ("energy",), scope)
    if values is None:
        return None
    energy = to_energy(values[0], session, "`normalize`")
    if energy is None:
        return None
    found = _Dependence(session)
    found.read(energy.expression)
    if not _is_fixed(found, call.span, scope) or not _has_no_demands(found, call.span, session):
        return None
    if not found.variables:
        session.error(
            "E0322",
            "`normalize` has nothing to integrate over",
            call.arguments[0].value.span,
            "this depends on no variable",
            helps=(f"leave it plain: `{snippet(call.arguments[0].value.span, 'energy(...)')}`",),
        )
        return None
    expression = formulas.Normalized(
        energy=energy.expression,
        name=session.name_integral(),
        type=Type(Sort.DENSITY, (), energy.stage),
        span=call.span,
    )
    keys = session.keys
    lefts = frozenset(keys.atom_key(atom) for atom in found.variables)
    return Value(expression=expression, density=DensityFacts(lefts, frozenset()))


def _is_fixed(found: "_Dependence", span: Span, scope: Scope) -> bool:
    """Report what would make the integral another one for each call or each element."""
    moving = found.moving - found.bound
    if not moving:
        return True
    symbol = min(moving, key=lambda symbol: symbol.key)
    session = scope.session
    declared = session.declared.get(symbol)
    outside = (
        "let it depend on what the spec itself declares, and on inputs"
        if scope.context.owner
        else "call it outside: `normalize(f(...))`"
    )
    per = {
        SymbolKind.PARAMETER: ("call", outside),
        SymbolKind.BINDER: ("element", "write one `normalize` for each element, in a `mix`"),
        SymbolKind.STATE: ("step", "let it stand outside of the `scan`"),
    }[symbol.kind]
    session.error(
        "E0322",
        f"this `normalize` has another integral for each {per[0]}",
        span,
        f"depends on `{symbol.name}`",
        secondary=[Label(declared, "declared here")] if declared is not None else (),
        notes=("the integral is estimated once, before the search begins",),
        helps=(per[1],),
    )
    return False


def _has_no_demands(found: "_Dependence", span: Span, session: Session) -> bool:
    """Report a `require` inside: in an expression it would count as if it were soft."""
    if found.required is None:
        return True
    name = found.required.name
    session.error(
        "E0322",
        f"`normalize` cannot hold `require {name}`",
        span,
        "integrates over points that do not satisfy it, too",
        secondary=[Label(found.required.span, "required here")],
        helps=(
            f"say it softly, and it is part of the density: `prefer {name}: ...`",
            "or require it in the file, beside the `normalize`",
        ),
    )
    return False


# --- what an energy depends on -------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Dependence:
    """What an expression depends on, read through names, calls and parts.

    Attributes:
        variables: Its variables, with the paths of parts that lead to them.
        moving: The parameters, binders and states that it speaks of.
        bound: Those of them that are bound inside of it.
        required: A `require` of a spec that it uses as an expression.
    """

    session: Session
    variables: set[Atom] = field(default_factory=set)
    moving: set[Symbol] = field(default_factory=set)
    bound: set[Symbol] = field(default_factory=set)
    required: program.Term | None = None
    _seen: set[tuple[int, Atom]] = field(default_factory=set)

    def read(self, expression: Expression, place: Atom = ()) -> None:
        """Add what an expression depends on that stands in the part at `place`."""
        pending = [(expression, place)]
        while pending:
            current, here = pending.pop()
            if (id(current), here) in self._seen:
                continue
            self._seen.add((id(current), here))
            match current:
                case Reference(symbol=symbol):
                    pending.extend(self._symbol(symbol, here))
                    continue
                case Member(path=path):
                    pending.extend(self._symbol(path[-1], (*here, *path[:-1])))
                    continue
                case Call(instance=function):
                    self.bound.update(function.parameters)
                    pending.append((function.result, here))
                case SpecCall(instance=spec):
                    self.bound.update(spec.parameters)
                    pending.extend((inner, here) for inner in self._body(spec.body))
                case Quantified(iteration=iteration):
                    self.bound.update(_binders(iteration))
                case Scan(iteration=iteration, state=state):
                    self.bound.update((*_binders(iteration), state))
                case _:
                    pass
            pending.extend((child, here) for child in children(current))

    def _symbol(self, symbol: Symbol, place: Atom) -> Iterator[tuple[Expression, Atom]]:
        """Take in a symbol as spoken of in the part at `place`; yield what it stands for."""
        if symbol.kind is SymbolKind.VARIABLE:
            self.variables.add((*self._home(symbol, place), symbol))
        elif symbol in self.session.definitions:
            # A parameter, too, where its number is fixed: there is an instance for each.
            yield self.session.definitions[symbol], self._home(symbol, place)
        elif symbol.kind in _MOVING:
            argument = self._argument(symbol, place)
            if argument is None:
                self.moving.add(symbol)
            else:
                yield argument

    def _home(self, symbol: Symbol, place: Atom) -> Atom:
        """Return the part that declares a symbol: that at `place`, or one around it."""
        while place and symbol not in _declared(self.session.parts[place[-1]].instance.body):
            place = place[:-1]
        return place

    def _argument(self, symbol: Symbol, place: Atom) -> tuple[Expression, Atom] | None:
        """Return what a part at `place`, or around it, was given for a parameter."""
        while place:
            part = self.session.parts[place[-1]]
            given = dict(zip(part.instance.parameters, part.arguments, strict=True))
            place = place[:-1]
            if symbol in given:
                return given[symbol], place
        return None

    def _body(self, body: Body) -> Iterator[Expression]:
        """Yield what the terms of a spec used as an expression are made of, its parts' too."""
        for term in body.terms:
            if term.role is Role.REQUIRE and self.required is None:
                self.required = term
            yield term.value
        for definition in body.definitions:
            if isinstance(definition, Part):
                self.bound.update(definition.instance.parameters)
                yield from definition.arguments
                yield from self._body(definition.instance.body)


def _declared(body: Body) -> frozenset[Symbol]:
    variables = {variable.symbol for variable in body.variables}
    return frozenset(variables | {definition.symbol for definition in body.definitions})


def _binders(iteration: Iteration) -> Iterator[Symbol]:
    yield from iteration.binders
    for factor in iteration.factors:
        yield from _binders(factor)
