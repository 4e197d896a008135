"""`ebm sample`: draw points from exp(-E), and say whether to trust them."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ebmlang.cli.console import open_console, print_diagnostics, print_json
from ebmlang.cli.loading import load_to_run, load_with_data
from ebmlang.cli.options import (
    Command,
    add_run,
    add_spec,
    add_weights,
    read_counts,
    read_out,
    read_time,
    read_whole,
    refuse,
)
from ebmlang.source import RUN_FAILED, Diagnostic

if TYPE_CHECKING:
    from ebmlang.runs import Samples
    from ebmlang.runs.convergence import Verdict

_EXIT_CODES = {"trusted": 0, "untrusted": RUN_FAILED, "interrupted": 130}
"""By the status of the run."""


DEFAULTS = {
    "chains": "16",
    "draws": "500",
    "warmup": "500",
    "thin": "1",
    "seed": "0",
    "precision": "float64",
}
"""How a new run is sampled where the options do not say; one that goes on knows it."""

NEW_RUN = ("chains", "warmup", "thin", "seed", "precision", "method", "const")
"""Options that a run that goes on cannot take."""


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser, optional=True)
    add_weights(parser)
    add_run(parser, precisions=("float32", "float64", "mixed"))
    parser.add_argument("--chains", metavar="N", help="chains, as one batch")
    parser.add_argument("--draws", metavar="N", help="points kept of each chain")
    parser.add_argument("--warmup", metavar="N", help="iterations before the draws")
    parser.add_argument("--thin", metavar="N", help="iterations per point kept")
    parser.add_argument("--method", metavar="NAME", help="the sampler, where not chosen by facts")
    parser.add_argument(
        "--resume", metavar="RUN", help="go on with a run: what `--out NAME.run` has written"
    )
    parser.set_defaults(**dict.fromkeys(DEFAULTS))


def _run(arguments: Namespace) -> int:
    if arguments.resume is None:
        vars(arguments).update(
            {name: text for name, text in DEFAULTS.items() if vars(arguments)[name] is None}
        )
    seconds = read_time(arguments.time)
    out = _read_out(arguments.out)
    samples = (_begin if arguments.resume is None else _resume)(arguments, out, seconds)
    if out is not None and not _is_folder(out):
        from ebmlang.runs.store import write_atomically

        write_atomically(out, samples.write)
    if arguments.json:
        print_json(samples.describe())
    else:
        from ebmlang.cli.tables import draw_summary

        console = open_console()
        console.print(draw_summary(samples))
        if samples.verdict.trusted and not arguments.quiet:
            said = ("nothing speaks against these draws", *samples.verdict.remarks)
            console.print("\n".join(said))
        if not samples.verdict.trusted:
            print_diagnostics([_report_distrust(samples.verdict)])
    return _EXIT_CODES[samples.status.value]


def _begin(arguments: Namespace, out: Path | None, seconds: float | None) -> "Samples":
    if arguments.spec is None:
        raise refuse(
            "E0904",
            "there is neither a spec to sample nor a run to go on with",
            "as in `ebm sample desk.ebm`, or `ebm sample --resume desk.run`",
        )
    counts = read_counts(arguments, "chains", "draws", "thin")
    counts |= read_counts(arguments, "warmup", least=0)
    seed = read_whole(arguments.seed, "--seed")
    model = load_to_run(arguments, "sample")
    from ebmlang.runtime import show_progress

    with show_progress(silent=arguments.quiet or arguments.json) as progress:
        return model.sample(
            chains=counts["chains"],
            draws=counts["draws"],
            warmup=counts["warmup"],
            thin=counts["thin"],
            method=arguments.method,
            seed=seed,
            seconds=seconds,
            precision=arguments.precision,
            device=arguments.device,
            out=out if out is not None and _is_folder(out) else None,
            progress=progress,
        )


def _resume(arguments: Namespace, out: Path | None, seconds: float | None) -> "Samples":
    """Go on with a run; a spec and data that are given are compared with those of the run."""
    for name in NEW_RUN:
        if vars(arguments)[name]:
            raise refuse(
                "E0904",
                f"`--{name}` belongs to a new run, and `--resume` goes on with one",
                "`--draws`, `--time`, `--device` and `--out` may be given with it",
            )
    if out is not None and _is_folder(out):
        raise refuse(
            "E0904",
            f"`--resume` goes on in the folder of its run, not in `{out}`",
            "leave `--out` out, or name a file for all draws, such as `--out draws.nc`",
        )
    draws = None if arguments.draws is None else read_counts(arguments, "draws")["draws"]
    if arguments.spec is None:
        _require_spec(arguments)
    from ebmlang.runs.directory import open_run

    run = open_run(Path(arguments.resume))
    model = None if arguments.spec is None else load_with_data(arguments)
    from ebmlang.api.resume import resume_run
    from ebmlang.runtime import show_progress

    with show_progress(silent=arguments.quiet or arguments.json) as progress:
        return resume_run(
            run.path,
            model=model,
            draws=draws,
            seconds=seconds,
            device=arguments.device,
            progress=progress,
        )


def _require_spec(arguments: Namespace) -> None:
    """Raise where there are data or weights, and no spec that they could be for."""
    for name in ("set", "weight", "more_data"):
        if vars(arguments)[name]:
            option = "--data" if name == "more_data" else f"--{name}"
            raise refuse(
                "E0904",
                f"`{option}` needs a spec, and `--resume` alone takes what the run has kept",
                "leave it out, or name the spec too, for both to be compared with the run's",
            )


def _read_out(text: str | None) -> Path | None:
    """Return where the result goes, sure that it can be written there.

    Raises:
        EbmError: E0804, or E0808 where a package is missing for its format.
    """
    if text is None:
        return None
    from ebmlang.runs.directory import require_new_run
    from ebmlang.runs.samples import require_format

    # A run that is written as it goes is a folder of its own; all else is written at the end.
    if _is_folder(Path(text)):
        require_new_run(Path(text))
        return Path(text)
    out = read_out(text)
    require_format(Path(text))
    return out


def _is_folder(out: Path) -> bool:
    """Whether a result is the folder of a run, written as it goes."""
    from ebmlang.runs.directory import SUFFIX

    return out.suffix == SUFFIX


def _report_distrust(verdict: "Verdict") -> Diagnostic:
    place = verdict.place
    remarks = [remark for remark in verdict.remarks if place is None or remark != place.text]
    return Diagnostic(
        code="E0709",
        headline="the draws are not to be trusted",
        primary=place,
        notes=(*verdict.reasons, *remarks),
        helps=verdict.advice,
    )


COMMAND = Command(_add_arguments, _run)
