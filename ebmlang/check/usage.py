"""Warnings about what is declared and never used."""

from ebmlang.check.formulas import Member, Reference, Symbol
from ebmlang.check.program import Body, Part
from ebmlang.check.scope import Scope
from ebmlang.check.walk import reach_expressions
from ebmlang.source import SourceText, Span


def warn_unused(body: Body, scope: Scope, source: SourceText) -> None:
    """Report variables that no term depends on, and names that nothing speaks of.

    Args:
        body: What the main file declares.
        scope: The names of the main file.
        source: The text of the main file, for imported names have no say here.
    """
    session = scope.session
    touched = _find_touched(body)
    places: dict[Span, tuple[str, bool]] = {}
    for instance_body in _bodies(body):
        for variable in instance_body.variables:
            name, before = variable.symbol.name, places.get(variable.span, ("", False))[1]
            places[variable.span] = (name, before or variable.symbol in touched)
    for span, (name, used) in places.items():
        if not used:
            session.error(
                "W0211",
                f"no term depends on the variable `{name}`",
                span,
                "nothing decides its value",
                calls=False,
            )
    for entry in scope.values.values():
        if entry.word in ("let", "given") and not entry.used and entry.span.source is source:
            session.error(
                "W0212",
                f"nothing uses `{entry.name}`",
                entry.span,
                f"this `{entry.word}` has no effect",
                calls=False,
            )


def _bodies(body: Body) -> list[Body]:
    """Return a body and those of the parts in it, each instance once."""
    found: list[Body] = []
    seen: set[int] = set()
    pending = [body]
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        found.append(current)
        for definition in current.definitions:
            if isinstance(definition, Part):
                pending.append(definition.instance.body)
    return found


def _find_touched(body: Body) -> set[Symbol]:
    """Return the symbols that some term depends on."""
    touched: set[Symbol] = set()
    for expression in reach_expressions(body):
        match expression:
            case Reference(symbol=symbol):
                touched.add(symbol)
            case Member(path=path):
                touched.add(path[-1])
            case _:
                pass
    return touched
