"""`ebm sample`: draw points from exp(-E), and say whether to trust them."""

from argparse import ArgumentParser, Namespace

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
from ebmlang.source import RUN_FAILED, Diagnostic

FINE, INTERRUPTED = 0, 130


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser)
    add_weights(parser)
    add_run(parser)
    parser.add_argument("--chains", default="16", metavar="N", help="chains, as one batch")
    parser.add_argument("--draws", default="500", metavar="N", help="points kept of each chain")
    parser.add_argument("--warmup", default="500", metavar="N", help="iterations before the draws")
    parser.add_argument("--thin", default="1", metavar="N", help="iterations per point kept")
    parser.add_argument("--method", metavar="NAME", help="the sampler, where not chosen by facts")


def _run(arguments: Namespace) -> int:
    counts = read_counts(arguments, "chains", "draws", "thin")
    counts |= read_counts(arguments, "warmup", least=0)
    seed = read_whole(arguments.seed, "--seed")
    seconds = read_seconds(arguments.seconds)
    out = read_out(arguments.out)
    if out is not None:
        from ebmlang.runs.samples import require_format

        require_format(out)
    model = load_to_run(arguments, "sample")
    # Torch takes seconds to import: only once all that is cheap to find wrong has been checked.
    import torch

    from ebmlang.runs import Trust
    from ebmlang.runtime import SilentProgress, pick_progress

    silent = arguments.quiet or arguments.json
    samples = model.sample(
        chains=counts["chains"],
        draws=counts["draws"],
        warmup=counts["warmup"],
        thin=counts["thin"],
        method=arguments.method,
        seed=seed,
        seconds=seconds,
        dtype={"float32": torch.float32, "float64": torch.float64}[arguments.dtype],
        device=arguments.device,
        progress=SilentProgress() if silent else pick_progress(),
    )
    if out is not None:
        from ebmlang.runs.store import write_atomically

        write_atomically(out, samples.write)
    if arguments.json:
        print_json(samples.describe())
    else:
        from ebmlang.cli.tables import draw_summary

        console = open_console()
        console.print(draw_summary(samples))
        if samples.verdict.trusted and not arguments.quiet:
            console.print("nothing speaks against these draws")
        if not samples.verdict.trusted:
            print_diagnostics([_report_distrust(samples.verdict.reasons, samples.verdict.advice)])
    if samples.status is Trust.INTERRUPTED:
        return INTERRUPTED
    return FINE if samples.verdict.trusted else RUN_FAILED


def _report_distrust(reasons: tuple[str, ...], advice: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        code="E0709",
        headline="the draws are not to be trusted",
        notes=reasons,
        helps=advice,
    )


COMMAND = Command(_add_arguments, _run)
