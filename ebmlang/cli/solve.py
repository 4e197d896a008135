"""`ebm solve`: search a spec for points of low energy."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ebmlang.api.model import Model
from ebmlang.check.paths import find_terms
from ebmlang.cli.console import open_console, print_diagnostics, print_json
from ebmlang.cli.loading import load_to_run
from ebmlang.cli.options import (
    Command,
    add_run,
    add_spec,
    add_weights,
    read_counts,
    read_out,
    read_seconds,
    read_whole,
)
from ebmlang.source import RUN_FAILED, Diagnostic, Label

if TYPE_CHECKING:
    from ebmlang.runs.conflict import Conflicting

FINE, INTERRUPTED = 0, 130

CONFLICT_SECONDS = 10.0
"""How long to look for the requirements to blame, where nothing feasible was found [s]."""


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser)
    add_weights(parser)
    add_run(parser)
    parser.add_argument("--designs", default="10", metavar="N", help="most designs to keep")
    parser.add_argument("--starts", default="128", metavar="N", help="searches, as one batch")


def _run(arguments: Namespace) -> int:
    counts = read_counts(arguments, "designs", "starts")
    seed = read_whole(arguments.seed, "--seed")
    seconds = read_seconds(arguments.seconds)
    out = read_out(arguments.out)
    model = load_to_run(arguments, "solve")
    # Torch takes seconds to import: only once all that is cheap to find wrong has been checked.
    import torch

    from ebmlang.runs import Status
    from ebmlang.runtime import SilentProgress, pick_progress

    silent = arguments.quiet or arguments.json
    found = model.solve(
        designs=counts["designs"],
        starts=counts["starts"],
        seed=seed,
        seconds=seconds,
        dtype={"float32": torch.float32, "float64": torch.float64}[arguments.dtype],
        device=arguments.device,
        progress=SilentProgress() if silent else pick_progress(),
    )
    described = found.describe()
    conflict = None
    if found.status is Status.INFEASIBLE:
        from ebmlang.api.infeasible import blame_requirements

        longest = min(CONFLICT_SECONDS, CONFLICT_SECONDS if seconds is None else seconds)
        conflict = blame_requirements(model, seed=seed, seconds=longest)
        described |= {} if conflict is None else {"conflict": conflict.describe()}
    if out is not None:
        _write(out, described)
    if arguments.json:
        print_json(described)
    elif found.designs:
        from ebmlang.cli.tables import draw_designs, draw_terms

        console = open_console()
        console.print(draw_designs(found))
        if not arguments.quiet:
            console.print(draw_terms(found.designs[0]))
            console.print(f"{found.reason}; the terms are those of design 1")
    elif found.nearest is not None:
        from ebmlang.cli.tables import draw_point, draw_terms

        console = open_console()
        console.print(draw_point(found.nearest))
        console.print(draw_terms(found.nearest))
    if not found.designs and not arguments.json:
        violated = found.nearest.margins if found.nearest is not None else {}
        print_diagnostics([_report_infeasible(model, violated, counts["starts"], conflict)])
    if found.status is Status.INTERRUPTED:
        return INTERRUPTED
    return FINE if found.designs else RUN_FAILED


def _write(out: Path, described: dict[str, object]) -> None:
    from ebmlang.runs.plain import show_json
    from ebmlang.runs.store import write_atomically

    write_atomically(out, lambda path: _write_text(path, show_json(described)))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")


def _report_infeasible(
    model: Model, margins: Mapping[str, float], starts: int, conflict: "Conflicting | None"
) -> Diagnostic:
    required = {p: t for p, t in find_terms(model.program).items() if t.role.value == "require"}
    short = sorted((margins[path], path) for path in required if margins.get(path, 0) < 0)
    labels = [
        Label(required[path].span, f"`{path}` fails by {-margin:.3g}") for margin, path in short
    ]
    notes = [f"the nearest of {starts} starts is shown; that is no proof that there is none"]
    helps = [
        f"search from more starts, with `--starts {4 * starts}`",
        "see which cannot hold together, with `ebm explain --conflict`",
    ]
    if conflict is not None:
        named = " and ".join(
            f"`{path}`" for path in dict.fromkeys(m.path for m in conflict.members)
        )
        words = "; ".join(member.text for member in conflict.members)
        notes = [f"the smallest conflict is in {named}: {words}", conflict.reason]
        if conflict.bounds:
            listed = ", ".join(f"`{path}`" for path in conflict.bounds)
            notes.append(f"the bounds of {listed} are part of it")
        helps = ["see what would mend it, with `ebm explain --repair`"]
        if not conflict.proved:
            helps.append(f"search from more starts, with `--starts {4 * starts}`")
    return Diagnostic(
        code="E0706",
        headline="no point was found where every `require` holds",
        primary=labels[0] if labels else None,
        secondary=tuple(labels[1:]),
        notes=tuple(notes),
        helps=tuple(helps),
    )


COMMAND = Command(_add_arguments, _run)
