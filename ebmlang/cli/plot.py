"""`ebm plot`: draw what a run has found, as a picture in a file."""

from argparse import ArgumentParser, Namespace

from ebmlang.cli.console import print_json
from ebmlang.cli.options import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", help="what `ebm solve --out` or `ebm sample --out` wrote")
    parser.add_argument(
        "--quantity",
        action="append",
        default=[],
        metavar="NAME",
        help="draw this variable or report; several may be given",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="the picture: .png, .svg or .pdf; NAME.png beside the run"
    )


def _run(arguments: Namespace) -> int:
    from ebmlang.plot import choose_picture, plot_run, write_figure

    out = choose_picture(arguments.run, arguments.out)
    write_figure(plot_run(arguments.run, quantities=arguments.quantity), out)
    if arguments.json:
        print_json({"written": str(out)})
    elif not arguments.quiet:
        print(f"wrote {out}")
    return 0


COMMAND = Command(_add_arguments, _run)
