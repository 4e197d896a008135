"""The page of `ebm explain SPEC --cost`: counted work by term, and predicted rates."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ebmlang.cli.tables import open_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

TOGETHER = "adding up"
"""What stands for the path of work that is no term's own."""

MOST_TERMS = 40
"""Terms that the table shows: the dearest ones."""

MOST_WHOLE = 5
"""Steps that are named as not computed in blocks."""

Described = Mapping[str, Any]
"""Plain data of `describe_cost`; so Any."""


def print_cost_page(console: "Console", described: Described) -> None:
    """Print what an evaluation takes."""
    console.print("per chain, energy and gradient together", style="bold")
    console.print(_draw_terms(described))
    for line in _notes(described):
        console.print(line, soft_wrap=True)
    title = f"predicted for one core, {described['precision']}; the tier is that of a run of"
    console.print(f"{title} {described['calls']:,} calls", style="bold")
    console.print(_draw_rates(described))


def _draw_terms(described: Described) -> "Table":
    titles = ["term", "operations", "functions", "bytes", "share", "shared with others"]
    table = open_table(titles, left=["term"])
    terms = described["terms"]
    dearest = sorted(terms, key=lambda term: -term["gradient"]["operations"])[:MOST_TERMS]
    for term in (term for term in terms if term in dearest):
        share = "required" if term["share"] is None else f"{term['share']:.1%}"
        name = term["path"] or TOGETHER
        table.add_row(name, *_cells(term["gradient"]), share, _percent(term["shared"]))
    if len(terms) > MOST_TERMS:
        table.add_row(f"… {len(terms) - MOST_TERMS} more")
    table.add_section()
    table.add_row("E and its gradient", *_cells(described["gradient"]), "100.0%")
    table.add_row("E alone", *_cells(described["energy"]))
    if described["requirements"]["operations"]:
        table.add_row("margins of what is required", *_cells(described["requirements"]))
    return table


def _cells(work: Mapping[str, float]) -> list[str]:
    return [show_count(work[name]) for name in ("operations", "functions", "bytes")]


def _percent(share: float) -> str:
    return f"{share:.0%}" if share else ""


def show_count(number: float) -> str:
    """Return a count in three digits, with the letter for thousands.

    >>> show_count(12), show_count(12_345), show_count(2.5e9)
    ('12', '12.3k', '2.5G')
    """
    for letter, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= unit:
            return f"{number / unit:.3g}{letter}"
    return f"{number:.3g}"


def _notes(described: Described) -> Iterator[str]:
    work = described["gradient"]
    yield (
        f"{work['calls']:.0f} operations of torch per call where each runs by itself; the bytes"
        " are what they then read and write"
    )
    for loop in described["blocks"]["loops"]:
        yield (
            f"torch code goes along {loop['places']:,} places in blocks: {loop['steps']} steps of"
            f" at most {show_count(loop['block'])} elements, over all chains"
        )
    whole = described["blocks"]["whole"]
    for step in whole[:MOST_WHOLE]:
        yield (
            f"not in blocks: `{step['step']}` of `{step['term']}`, {show_count(step['elements'])}"
            f" elements for each chain, since {step['because']}"
        )
    if len(whole) > MOST_WHOLE:
        yield f"and {len(whole) - MOST_WHOLE} more"
    if described["native"] is not None:
        yield f"there is no native tier for this: {described['native']}"
    if described["opaque"]:
        names = ", ".join(f"`{name}`" for name in described["opaque"])
        yield f"what {names} costs is not known, and not counted"


def _draw_rates(described: Described) -> "Table":
    tiers = list(described["rates"][0]["gradients_per_second"])
    titles = ["chains", "tier", "per call", *(f"chains/s, {tier}" for tier in tiers)]
    table = open_table(titles, left=["tier"])
    for rate in described["rates"]:
        table.add_row(
            f"{rate['chains']:,}",
            rate["tier"],
            _show_seconds(rate["seconds"][rate["tier"]]),
            *(show_count(rate["gradients_per_second"][tier]) for tier in tiers),
        )
    return table


def _show_seconds(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"
