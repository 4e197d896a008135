"""Shares, conflicts and repairs as tables for people, at most 100 columns wide."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ebmlang.cli.tables import show_number

if TYPE_CHECKING:
    from rich.table import Table

    from ebmlang.runs.conflict import Conflicting
    from ebmlang.runs.explanation import Estimate, Explanation, Share
    from ebmlang.runs.repair import Repair, Way

WIDTH = 100
"""Columns that a table takes at most: wider ones are hard to read."""

NAME_WIDTH = {"point": 39, "run": 30}
"""Columns of the names of parts, which are cut there."""


def draw_shares(found: "Explanation") -> "Table":
    """Return the tree of terms and their parts, with a column for each number."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    single = found.kind == "point"
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    width = NAME_WIDTH["point" if single else "run"]
    table.add_column("term", width=width, no_wrap=True, overflow="ellipsis")
    titles = ["energy", *([] if single else ["mcse"]), "margin", "holds", "gradient", "answers for"]
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for term in found.terms:
        for indent, share in _lines(term, "", ""):
            if isinstance(share, int):
                table.add_row(f"{indent}… {share} more elements")
            else:
                table.add_row(*_row(indent, share, single=single))
    return table


def _lines(share: "Share", indent: str, below: str) -> "Iterator[tuple[str, Share | int]]":
    """Yield a part and what is below it, each with its guides; a number of elements left out.

    Of the elements of a quantifier only the first, which matters most, is taken further apart.
    """
    yield indent, share
    hidden = 0 if share.elements is None else share.elements - len(share.parts)
    for i, part in enumerate(share.parts):
        last = i == len(share.parts) - 1 and not hidden
        shown = part if share.elements is None or i == 0 else replace(part, parts=())
        shown = shown if shown.parts else replace(shown, elements=None)
        yield from _lines(shown, below + ("└ " if last else "├ "), below + ("  " if last else "│ "))
    if hidden:
        yield f"{below}└ ", hidden


def _row(indent: str, share: "Share", *, single: bool) -> list[str]:
    margin, holds = "", ""
    if share.margin is not None and share.satisfied is not None:
        margin = show_number(share.margin.mean)
        yes = "yes" if share.satisfied else "no"
        holds = yes if single else f"{share.satisfied:.1%}"
    error = share.energy.mcse
    errors = [] if single else ["" if error is None else f"{error:.2g}"]
    role = "" if indent or share.kind != "require" else " (required)"
    # What is required is in no energy, and so answers for none of it.
    blame = "" if not indent and share.kind == "require" else f"{share.responsibility.mean:.3f}"
    return [
        f"{indent}{share.name}{role}",
        show_number(share.energy.mean),
        *errors,
        margin,
        holds,
        show_number(share.gradient.mean),
        blame,
    ]


def show_estimate(estimate: "Estimate") -> str:
    """Return a mean with its spread, and with its error where it has one.

    >>> from ebmlang.runs.explanation import Estimate
    >>> show_estimate(Estimate(mean=2.0, sd=0.5, mcse=0.01))
    '2 (sd 0.5, mcse 0.01)'
    """
    spread = "" if estimate.sd is None else f"sd {estimate.sd:.3g}"
    error = "" if estimate.mcse is None else f", mcse {estimate.mcse:.2g}"
    return show_number(estimate.mean) + (f" ({spread}{error})" if spread else "")


def show_count(found: "Explanation") -> str:
    """Return how many points there are, in words."""
    kind = found.kind.removesuffix("s") if found.points == 1 else found.kind
    return f"{found.points:,} {kind}"


def draw_conflict(found: "Conflicting") -> "Table":
    """Return the table of what conflicts."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, width=None)
    table.add_column("require", overflow="fold")
    table.add_column("what cannot hold with the others", overflow="fold", max_width=WIDTH // 2)
    table.add_column("margin", justify="right", no_wrap=True)
    for member in found.members:
        table.add_row(member.path, member.text, show_number(member.margin))
    return table


def draw_ways(found: "Repair") -> Iterator[str]:
    """Yield the lines that say what would make everything required possible."""
    if found.smallest is None:
        yield "no change of the requirements alone was found that makes them possible"
    else:
        yield "the smallest change:"
        yield from _way(found.smallest)
    if found.alone:
        yield "by one requirement of the conflict alone:"
        for name, way in found.alone.items():
            yield from _alone(f"`{name}`", way)
    if found.bounds:
        yield "by the bounds of one variable alone:"
        for path, way in found.bounds.items():
            yield from _alone(f"`{path}`", way)


def _alone(name: str, way: "Way | None") -> Iterator[str]:
    if way is None:
        yield f"  {name} alone is not enough"
    else:
        yield from _way(way)


def _way(way: "Way") -> Iterator[str]:
    for change in way.changes:
        if not change.new:
            yield f"  `{change.path}`: leave out `{change.old}`"
            continue
        (place, *_) = [str(edit.span) for edit in change.edits]
        yield f"  `{change.path}`: `{change.new}` instead of `{change.old}`, at {place}"
