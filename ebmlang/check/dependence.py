"""Which variables a term depends on, by path, read off the typed program.

    let gap = norm(lamp - cup)          `apart` depends on `lamp` and `cup`
    require apart: gap >= 30

Before there is a graph: no data is needed, and every size may be open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ebmlang.check.formulas import Call, Expression, Member, Reference, SpecCall, Symbol
from ebmlang.check.program import Body, FunctionInstance, Let, Part, SpecInstance, Term
from ebmlang.check.walk import children

Atom: TypeAlias = tuple[Symbol, ...]
"""A symbol, or a symbol in a part with the path to it."""


def find_term_variables(body: Body) -> dict[str, frozenset[str]]:
    """Return the variables that each term of a body, and of the parts in it, depends on."""
    frame = _Frame(body=body, prefix="", arguments={}, outer=None, reading=_Reading())
    return {path: frame.variables_of(term.value) for path, term, frame in _iterate_terms(frame)}


@dataclass(slots=True, eq=False)
class _Reading:
    """What symbols functions and specs speak of, each looked into once."""

    known: dict[int, frozenset[Atom]] = field(default_factory=dict)

    def atoms(self, *expressions: Expression) -> frozenset[Atom]:
        """Return the symbols that expressions speak of, those inside functions included."""
        found: set[Atom] = set()
        pending = list(expressions)
        while pending:
            expression = pending.pop()
            match expression:
                case Reference(symbol=symbol):
                    found.add((symbol,))
                case Member(path=path):
                    found.add(path)
                case Call(instance=function, arguments=arguments):
                    inside = self._inside(function)
                    given = dict(zip(function.parameters, arguments, strict=True))
                    found |= {atom for atom in inside if atom[0] not in given}
                    pending.extend(value for symbol, value in given.items() if (symbol,) in inside)
                case SpecCall(instance=spec):
                    found |= self._inside(spec)
                    pending.extend(children(expression))
                case _:
                    pending.extend(children(expression))
        return frozenset(found)

    def _inside(self, instance: FunctionInstance | SpecInstance) -> frozenset[Atom]:
        if id(instance) not in self.known:
            match instance:
                case FunctionInstance(result=result):
                    found = self.atoms(result)
                case SpecInstance(body=body):
                    found = self.atoms(*_expressions(body))
            self.known[id(instance)] = found
        return self.known[id(instance)]


def _expressions(body: Body) -> Iterator[Expression]:
    """Yield what the terms of a body, and of the parts in it, may depend on."""
    yield from (term.value for term in body.terms)
    for definition in body.definitions:
        match definition:
            case Let(value=value):
                yield value
            case Part(instance=instance, arguments=arguments):
                yield from arguments
                yield from _expressions(instance.body)


@dataclass(slots=True, kw_only=True, eq=False)
class _Frame:
    """A body where it is used: under a path, with arguments from the frame around it."""

    body: Body
    prefix: str
    arguments: Mapping[Symbol, Expression]
    outer: "_Frame | None"
    reading: _Reading
    known: dict[Symbol, frozenset[str]] = field(default_factory=dict)
    names: dict[Symbol, "str | Expression | _Frame"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names.update(self.arguments)
        for variable in self.body.variables:
            self.names[variable.symbol] = f"{self.prefix}{variable.symbol.name}"
        for definition in self.body.definitions:
            match definition:
                case Let(symbol=symbol, value=value):
                    self.names[symbol] = value
                case Part(symbol=symbol, instance=instance, arguments=arguments):
                    self.names[symbol] = _Frame(
                        body=instance.body,
                        prefix=f"{self.prefix}{symbol.name}.",
                        arguments=dict(zip(instance.parameters, arguments, strict=True)),
                        outer=self,
                        reading=self.reading,
                    )

    def variables_of(self, expression: Expression) -> frozenset[str]:
        """Return the paths of the variables that an expression in this frame depends on."""
        atoms = self.reading.atoms(expression)
        return frozenset().union(*(self._find(atom) for atom in atoms))

    def _find(self, atom: Atom) -> frozenset[str]:
        frame: _Frame | None = self
        while frame is not None and atom[0] not in frame.names:
            frame = frame.outer
        if frame is None:
            # A binder, a constant of another file, or an input.
            return frozenset()
        for symbol in atom[:-1]:
            inner = frame.names[symbol]
            assert isinstance(inner, _Frame)
            frame = inner
        return frame._resolve(atom[-1])

    def _resolve(self, symbol: Symbol) -> frozenset[str]:
        if symbol not in self.known:
            self.known[symbol] = self._look_up(symbol)
        return self.known[symbol]

    def _look_up(self, symbol: Symbol) -> frozenset[str]:
        named = self.names.get(symbol)
        match named:
            case None:
                return frozenset()
            case str():
                return frozenset({named})
            case _Frame():
                raise AssertionError(symbol)
            case _ if symbol in self.arguments:
                assert self.outer is not None
                return self.outer.variables_of(named)
            case _:
                return self.variables_of(named)


def _iterate_terms(frame: _Frame) -> Iterator[tuple[str, Term, _Frame]]:
    for term in frame.body.terms:
        yield f"{frame.prefix}{term.name}", term, frame
    for inner in frame.names.values():
        if isinstance(inner, _Frame):
            yield from _iterate_terms(inner)
