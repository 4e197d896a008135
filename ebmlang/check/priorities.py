"""The priority of a file: which terms come before which others.

`priority left > cost, calm` names terms, or parts for all soft terms in them. What is required
comes before everything, so it has no place in the order; a soft term that is not named belongs to
the last tier, where it is weighed against the others as written.
"""

from collections.abc import Mapping, Sequence

from ebmlang.check.examples import show_path
from ebmlang.check.paths import iterate_bodies
from ebmlang.check.program import Body, Role, Term
from ebmlang.check.scope import Scope
from ebmlang.check.session import Session
from ebmlang.check.value import snippet
from ebmlang.source import Label, Span
from ebmlang.syntax import tree


def build_priority(
    statements: Sequence[tree.Statement], body: Body, scope: Scope
) -> tuple[tuple[str, ...], ...]:
    """Return the paths of the soft terms of each tier; none where the file states no order.

    What is wrong is reported: a name that no soft term has (E0201, E0213), a term that stands in
    the order twice (E0213), and a second order (E0210).
    """
    session = scope.session
    stated = [statement for statement in statements if isinstance(statement, tree.Priority)]
    if not stated:
        return ()
    session.resume()
    first, *others = stated
    for other in others:
        session.error(
            "E0210",
            "`priority` is set twice",
            other.span,
            "the second one",
            secondary=[Label(first.span, "the first one")],
            helps=("one order names all terms: `priority a > b > c`",),
        )
    terms = {f"{prefix}{term.name}": term for prefix, b in iterate_bodies(body) for term in b.terms}
    seen: dict[str, Span] = {}
    tiers = []
    for tier in first.tiers:
        named = [path for node in tier for path in _read(node, terms, seen, session)]
        tiers.append(tuple(named))
    unnamed = tuple(
        path for path, term in terms.items() if term.role is not Role.REQUIRE and path not in seen
    )
    return (*tiers[:-1], (*tiers[-1], *unnamed))


def _read(
    node: tree.Name | tree.Field,
    terms: Mapping[str, Term],
    seen: dict[str, Span],
    session: Session,
) -> list[str]:
    """Return the soft terms that a path stands for."""
    path = show_path(node)
    below = [name for name in terms if name == path or name.startswith(f"{path}.")]
    if not below:
        _report_unknown(node, path, terms, session)
        return []
    soft = [name for name in below if terms[name].role is not Role.REQUIRE]
    if not soft:
        session.error(
            "E0213",
            f"the priority of `{path}` is fixed: what is required comes before everything",
            node.span,
            "required",
            secondary=[Label(terms[below[0]].span, "declared here")],
            helps=("leave it out of the order",),
        )
        return []
    fresh = []
    for name in soft:
        if name not in seen:
            seen[name] = node.span
            fresh.append(name)
            continue
        headline = f"`{name}` stands in the order twice"
        session.error(
            "E0213",
            headline if name == path else f"{headline}: as a part of `{path}`, and before",
            node.span,
            "the second time",
            secondary=[Label(seen[name], "the first time")],
        )
        break
    return fresh


def _report_unknown(
    node: tree.Name | tree.Field, path: str, terms: Mapping[str, Term], session: Session
) -> None:
    if path in session.muted:
        return
    parts = {name.rpartition(".")[0] for name in terms} - {""}
    meant = session.closest(path, [*terms, *parts])
    session.error(
        "E0201",
        f"no term and no part is called `{snippet(node.span, path)}`",
        node.span,
        f"did you mean `{meant}`?" if meant else "not declared in this file",
    )
