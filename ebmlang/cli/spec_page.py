"""The page of `ebm explain SPEC`: facts of the terms, what is proved of the whole, the plan."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ebmlang.cli.tables import show_number

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PAGE_WIDTH = 100
"""Columns that the page takes at most: longer lines of prose are hard to read."""

WIDEST_MOVES = 20
"""Columns that the variables of a term may take in the table; longer ones stand below it."""

MOST_VARIABLES = 4
"""Variables of one term that are listed."""

MOST_PLACES = 2
"""Places where one term is not smooth that are listed."""

MOST_BATCHES = 8
"""Groups of terms of one shape that are listed."""

MOST_BRANCHES = 8
"""Branches of an OR at the top that are listed."""

LONGEST_TEXT = 56
"""Characters of a piece of the spec that are shown."""

QUESTIONS = {
    "bounded_below": "is E bounded below?",
    "has_minimizer": "has E a minimizer?",
    "integrable": "is exp(-E) integrable?",
}
"""The three questions of propriety, as asked."""

TITLES = {"runs": "runs", "because": "because", "notes": "note"}
"""What stands in front of the lines of a plan."""

Described = Mapping[str, Any]
"""Plain data of `describe_facts`; so Any."""


def print_spec_page(console: "Console", described: Described) -> None:
    """Print what is known of a spec before it runs."""
    if described["status"] == "needs data":
        for line in _needs_data(described):
            console.print(line)
        return
    width = min(console.width, PAGE_WIDTH)
    for title, body in (
        (
            "terms, with the range of their energy; of what is required, of its margin",
            _terms(described["terms"], width),
        ),
        ("is it proper?", _propriety(described["propriety"], width)),
        ("log Z of what is normalized", _integrals(described["integrals"], width)),
        ("terms of one shape, computed side by side", _batches(described["batches"], width)),
        ("plan", _plan(described["blocks"], width)),
        ("solver, where none is asked for", _solver(described["solver"], width)),
        ("sampler, where none is asked for", _sampler(described["sampler"], width)),
    ):
        if body is not None:
            console.print(title, style="bold")
            console.print(body)


def _needs_data(described: Described) -> Iterator[str]:
    interface = described["interface"]
    yield f"{described['name']}: nothing can be proved before the sizes of its arrays are known"
    yield from (f"  {line}" for line in described["missing"])
    for title in ("inputs", "variables", "terms"):
        if interface[title]:
            yield f"{title}: {', '.join(item['path'] for item in interface[title])}"


def _grid(width: int, columns: int) -> "Table":
    """Return a table without lines, whose last column takes what is left and wraps."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.width = width
    for _ in range(columns - 1):
        grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    return grid


# --- terms ---------------------------------------------------------------------------


def _terms(terms: list[Described], width: int) -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table

    if not terms:
        return "  there are none\n"
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("term", "role", "range", "curvature", "smooth", "squares", "moves with"):
        table.add_column(title, overflow="fold")
    for term in terms:
        table.add_row(
            term["path"],
            term["role"],
            _range(term),
            term["curvature"],
            term["smoothness"],
            "" if term["residuals"] is None else str(term["residuals"]),
            _moves(term) if len(_moves(term)) <= WIDEST_MOVES else "",
        )
    remarks = _grid(width, 2)
    for term in terms:
        for remark in _remarks(term):
            remarks.add_row(term["path"], remark)
    return Group(table, remarks, "")


def _range(term: Described) -> str:
    return f"[{show_number(term['lower'])}, {show_number(term['upper'])}]"


def _moves(term: Described) -> str:
    """Return the variables of a term, with how it moves when one rises, where that is known."""
    slopes = term["slopes"]
    named = [
        path if slopes.get(path, "mixed") == "mixed" else f"{path} {slopes[path]}"
        for path in term["variables"]
    ]
    if len(named) > MOST_VARIABLES:
        named = [*named[: MOST_VARIABLES - 1], f"{len(named) - MOST_VARIABLES + 1} more"]
    return ", ".join(named)


def _remarks(term: Described) -> Iterator[str]:
    if len(_moves(term)) > WIDEST_MOVES:
        yield f"moves with {_moves(term)}"
    broken = term["curvature_broken_by"]
    if broken:
        yield f"curvature: {_cite(broken)}: {broken['rule']}"
    rough = [p for p in term["not_smooth_at"] if p["order"] is None or p["order"] < 1]
    for place in rough[:MOST_PLACES]:
        yield f"may have a {place['kind']}: {_cite(place)}"
    if len(rough) > MOST_PLACES:
        yield f"and {len(rough) - MOST_PLACES} more such places"


def _cite(place: Described) -> str:
    """Return the text and the place of something in the spec, as far as they are known."""
    if "at" not in place:
        return ""
    text = " ".join(place["text"].split())
    shown = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT].rstrip()}…"
    return f"`{shown}` at {place['at']}"


# --- propriety -----------------------------------------------------------------------


def _propriety(propriety: Described, width: int) -> "RenderableType":
    from rich.console import Group
    from rich.padding import Padding

    parts: list[RenderableType] = [""]
    for key, question in QUESTIONS.items():
        verdict = propriety[key]
        parts.append(f"{question} {verdict['answer']}")
        grid = _grid(width - 2, 2)
        for number, reason in enumerate(verdict["because"], start=1):
            where = f" ({reason['at']})" if "at" in reason else ""
            grid.add_row("because" if number == 1 else "", f"{number}. {reason['text']}{where}")
        for text in verdict["helps"]:
            grid.add_row("help", text)
        parts.append(Padding(grid, (0, 0, 0, 2), expand=False))
    return Group(*parts, "")


def _integrals(integrals: list[Described], width: int) -> "RenderableType | None":
    """Return the estimates with their error bars; None where nothing is normalized."""
    from rich.padding import Padding

    from ebmlang.runs.integral import Integral, show_integral

    if not integrals:
        return None
    grid = _grid(width - 2, 3)
    for described in integrals:
        integral = Integral.from_json(described)
        remarks = [f"k-hat {integral.khat:.2f}", _cite(described)]
        said = ", ".join(remark for remark in remarks if remark)
        grid.add_row(described["name"], show_integral(integral), said)
        for reason in integral.reasons:
            grid.add_row("", "unreliable", reason)
    return Padding(grid, (1, 0, 1, 2), expand=False)


def _batches(batches: list[Described], width: int) -> "RenderableType | None":
    """Return which terms share their steps; None where none do."""
    from rich.padding import Padding

    if not batches:
        return None
    grid = _grid(width - 2, 2)
    for batch in batches[:MOST_BATCHES]:
        first, *_, last = batch["terms"]
        grid.add_row(
            f"{len(batch['terms'])} terms", f"`{first}` to `{last}`: {batch['steps']} steps for all"
        )
    if len(batches) > MOST_BATCHES:
        grid.add_row("", f"and {len(batches) - MOST_BATCHES} more groups")
    return Padding(grid, (1, 0, 1, 2), expand=False)


# --- plan ----------------------------------------------------------------------------


def _plan(blocks: list[Described], width: int) -> "RenderableType | None":
    if not blocks:
        return None
    from rich.console import Group
    from rich.padding import Padding

    parts: list[RenderableType] = [""]
    if len(blocks) > 1:
        parts.append(f"{len(blocks)} independent blocks")
    for block in blocks:
        count = block["numbers"]
        numbers = "1 number" if count == 1 else f"{count} numbers"
        parts.append(f"{', '.join(block['variables'])}: {numbers}")
        grid = _grid(width - 2, 3)
        for verb in ("solve", "sample"):
            lines = [(title, line) for key, title in TITLES.items() for line in block[verb][key]]
            before = ""
            for position, (title, line) in enumerate(lines):
                grid.add_row(verb if position == 0 else "", "" if title == before else title, line)
                before = title
        parts.append(Padding(grid, (0, 0, 0, 2), expand=False))
    return Group(*parts)


def _solver(solver: Described, width: int) -> "RenderableType":
    from rich.padding import Padding

    grid = _grid(width - 2, 2)
    for title in ("method", "does", "because"):
        grid.add_row(title, solver[title])
    for part in solver["parts"]:
        named = _name_block(part["variables"])
        grid.add_row(named, f"{part['method']}: {part['because']}")
        grid.add_row("", f"{part['descent']}: {part['descends']}")
    if not solver["parts"]:
        grid.add_row("descent", f"{solver['descent']}: {solver['descends']}")
    return Padding(grid, (1, 0, 1, 2), expand=False)


def _name_block(paths: list[str]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"`{paths[0]}`{more}"


def _sampler(sampler: Described, width: int) -> "RenderableType":
    from rich.padding import Padding

    grid = _grid(width - 2, 2)
    grid.add_row("method", sampler["method"])
    grid.add_row("does", sampler["does"])
    grid.add_row("because", sampler["because"])
    for branch in sampler["branches"][:MOST_BRANCHES]:
        share = "mass to be estimated" if branch["share"] is None else f"{branch['share']:.4g}"
        cited = _cite(branch)
        grid.add_row(branch["name"], f"{share}, {cited}" if cited else share)
    if len(sampler["branches"]) > MOST_BRANCHES:
        grid.add_row("", f"and {len(sampler['branches']) - MOST_BRANCHES} more branches")
    return Padding(grid, (1, 0, 0, 2), expand=False)
