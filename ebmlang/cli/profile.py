"""`ebm profile`: the time and memory of each term, measured."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ebmlang.cli.console import open_console, print_json
from ebmlang.cli.loading import load_with_data
from ebmlang.cli.options import (
    Command,
    add_spec,
    add_weights,
    read_counts,
    read_out,
    read_whole,
    refuse,
)

if TYPE_CHECKING:
    from rich.table import Table

    from ebmlang.runs.profile import Profile, TermTime

FORMATS = (".svg", ".json")

MOST_TERMS = 40
"""Terms that the table shows: the dearest ones."""


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser)
    add_weights(parser)
    parser.add_argument("--chains", default="1024", metavar="N", help="points of the batch")
    parser.add_argument(
        "--rounds", default="9", metavar="N", help="evaluations, of which the median one is told"
    )
    parser.add_argument("--seed", default="0", metavar="N", help="seed of the points")
    parser.add_argument(
        "--dtype", default="float64", choices=("float32", "float64"), help="precision"
    )
    parser.add_argument(
        "--flame",
        metavar="FILE",
        help="also write a flame graph: a picture, `.svg`, or `.json` for speedscope.app",
    )


def _run(arguments: Namespace) -> int:
    out = read_out(arguments.flame)
    if out is not None and out.suffix not in FORMATS:
        known = " or ".join(f"`{suffix}`" for suffix in FORMATS)
        raise refuse(
            "E0904", f"a flame graph cannot be written as `{out.name}`", f"end it in {known}"
        )
    counts = read_counts(arguments, "chains", "rounds")
    seed = read_whole(arguments.seed, "--seed")
    model = load_with_data(arguments)

    import torch

    from ebmlang.api.profile import profile_model

    dtype = {"float32": torch.float32, "float64": torch.float64}[arguments.dtype]
    found = profile_model(model, dtype=dtype, seed=seed, **counts)
    if out is not None:
        _write(found, out)
    if arguments.json:
        written = {} if out is None else {"written": str(out)}
        print_json(found.describe() | written)
        return 0
    console = open_console()
    console.print(
        f"{found.chains:,} points, {found.precision}: {_show_seconds(found.call)} for a call of"
        " energy and gradient"
    )
    console.print(_draw_terms(found))
    if out is not None and not arguments.quiet:
        console.print(f"wrote {out}")
    return 0


def _write(found: "Profile", out: Path) -> None:
    from ebmlang.plot.flame import draw_flame, write_speedscope
    from ebmlang.runs.store import write_atomically

    form = draw_flame if out.suffix == ".svg" else write_speedscope
    text = form(found.name, found.stacks)

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_atomically(out, write)


def _draw_terms(found: "Profile") -> "Table":
    from ebmlang.cli.tables import open_table

    table = open_table(["term", "energy", "with gradient", "share", "memory"], left=["term"])
    dearest = sorted(found.terms, key=lambda term: -term.gradient)[:MOST_TERMS]
    for term in (term for term in found.terms if term in dearest):
        share = "required" if term.required else f"{term.gradient / found.seconds:.1%}"
        table.add_row(term.path or "adding up", *_cells([term]), share, _show_bytes(term.memory))
    if len(found.terms) > MOST_TERMS:
        table.add_row(f"… {len(found.terms) - MOST_TERMS} more")
    soft = [term for term in found.terms if not term.required]
    table.add_section()
    memory = sum(term.memory for term in soft)
    table.add_row("E, with a clock after each step", *_cells(soft), "100.0%", _show_bytes(memory))
    return table


def _cells(terms: "list[TermTime]") -> list[str]:
    return [
        _show_seconds(sum(term.energy for term in terms)),
        _show_seconds(sum(term.gradient for term in terms)),
    ]


def _show_seconds(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def _show_bytes(number: float) -> str:
    return f"{number / 1e6:.3g} MB" if number >= 1e6 else f"{number / 1e3:.3g} kB"


COMMAND = Command(_add_arguments, _run)
