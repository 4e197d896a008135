"""Where things stand in a program: the bodies of its parts, and its terms, by path."""

from collections.abc import Iterator

from ebmlang.check.program import Body, Part, Program, Term


def iterate_bodies(body: Body, prefix: str = "") -> Iterator[tuple[str, Body]]:
    """Yield a body and those of the parts in it, each with what their paths begin with."""
    yield prefix, body
    for part in body.definitions:
        if isinstance(part, Part):
            yield from iterate_bodies(part.instance.body, f"{prefix}{part.symbol.name}.")


def find_terms(program: Program) -> dict[str, Term]:
    """Return every term of a program by its path, those of its parts included."""
    return {
        f"{prefix}{term.name}": term
        for prefix, body in iterate_bodies(program.body)
        for term in body.terms
    }
