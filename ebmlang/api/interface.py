"""What goes into a spec and what comes out of it, as plain data for JSON.

Needs neither data nor torch: a size that only the data binds is shown by its name.
"""

from collections.abc import Iterator
from typing import Any

from ebmlang.api.sizes import iterate_givens
from ebmlang.check import Program
from ebmlang.check.claims import Example, Property
from ebmlang.check.formulas import Expression, Literal, SymbolKind
from ebmlang.check.paths import iterate_bodies
from ebmlang.check.program import Body, Given, Let, Part, Role, Term, Variable
from ebmlang.lang import Shape


def describe_interface(program: Program) -> dict[str, Any]:
    """Return inputs, sizes, constants, variables, terms and reports of a program.

    Paths are those that data files, `--weight` and results use. Any: what JSON can hold.
    """
    bodies = list(iterate_bodies(program.body))
    return {
        "name": program.name,
        "inputs": [_given(path, given) for path, given in iterate_givens(program.body)],
        "sizes": list(program.sizes),
        "constants": [_constant(let) for let in _constants(program.body)],
        "variables": [_variable(prefix, v) for prefix, body in bodies for v in body.variables],
        "terms": [_term(prefix, term) for prefix, body in bodies for term in body.terms],
        "parts": [
            {"path": f"{prefix}{part.symbol.name}", "weight": part.weight}
            for prefix, body in bodies
            for part in body.definitions
            if isinstance(part, Part)
        ],
        "reports": [
            {"path": f"{prefix}{report.name}", "type": report.value.type.sort.value}
            | _shape(report.value.type.shape)
            for prefix, body in bodies
            for report in body.reports
        ],
        "properties": [claim.name for claim in program.claims if isinstance(claim, Property)],
        "examples": [claim.name for claim in program.claims if isinstance(claim, Example)],
        "priority": [list(tier) for tier in program.priority],
    }


def _given(path: str, given: Given) -> dict[str, Any]:
    described = {"path": path, "type": given.type.sort.value, **_shape(given.type.shape)}
    if given.default is None:
        return {**described, "required": True}
    return {**described, "required": False, "default": given.default.span.text}


def _constants(body: Body) -> Iterator[Let]:
    for definition in body.definitions:
        if isinstance(definition, Let) and definition.symbol.kind is SymbolKind.CONST:
            yield definition


def _constant(let: Let) -> dict[str, Any]:
    known = isinstance(let.value, Literal)
    value = let.value.value if isinstance(let.value, Literal) else let.value.span.text
    return {"name": let.symbol.name, "value": value, "known": known}


def _variable(prefix: str, variable: Variable) -> dict[str, Any]:
    domain = variable.domain
    return {
        "path": f"{prefix}{variable.symbol.name}",
        "domain": domain.kind.value,
        **_shape(domain.shape),
        "lower": _source(domain.lower),
        "upper": _source(domain.upper),
    }


def _term(prefix: str, term: Term) -> dict[str, Any]:
    described = {
        "path": f"{prefix}{term.name}",
        "role": term.role.value,
        "sort": term.value.type.sort.value,
    }
    return described if term.role is Role.REQUIRE else {**described, "weight": term.weight}


def _shape(shape: Shape) -> dict[str, Any]:
    return {"shape": [dim if isinstance(dim, int) else str(dim) for dim in shape]}


def _source(expression: Expression | None) -> str | None:
    return None if expression is None else expression.span.text
