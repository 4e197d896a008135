"""`ebm explain`: what is known of a spec, of a point or a run, or what a message's code means."""

import re
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ebmlang.cli.console import open_console, print_json
from ebmlang.cli.loading import load_with_data
from ebmlang.cli.options import (
    Command,
    add_spec,
    add_weights,
    read_numbers,
    read_out,
    read_pairs,
    refuse,
)
from ebmlang.source import CODES

CODE = re.compile(r"[EW]\d{4}", re.IGNORECASE)


VIEWS = {
    "conflict": "the smallest set of requirements that cannot hold together",
    "repair": "the smallest changes that make everything required possible",
    "vacuous": "the terms that never act on a run",
    "cost": "what an evaluation takes: operations and bytes by term, and predicted rates",
}
"""What else may be asked, as options."""


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser)
    add_weights(parser)
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="FILE",
        help="a point: values by path, or what `ebm solve --out` wrote",
    )
    parser.add_argument(
        "--design", metavar="N", help="which design of such a result; the first is 1"
    )
    parser.add_argument(
        "--run", metavar="FILE", help="a run: what `ebm sample --out` or `ebm solve --out` wrote"
    )
    parser.add_argument("--svg", metavar="FILE", help="draw the tree of terms, as a picture")
    for view, summary in VIEWS.items():
        parser.add_argument(f"--{view}", action="store_true", help=f"show {summary}")


def _run(arguments: Namespace) -> int:
    if CODE.fullmatch(arguments.spec) and not Path(arguments.spec).exists():
        _refuse_together(
            f"`{arguments.spec}`", _options(arguments, "at", "run", "design", "svg", *VIEWS)
        )
        return _explain_code(arguments.spec.upper(), as_json=arguments.json)
    if arguments.svg:
        read_out(arguments.svg)
    asked = _options(arguments, *VIEWS)
    if len(asked) > 1:
        _refuse_together(f"`{asked[0]}`", asked[1:])
    if asked in (["--conflict"], ["--repair"], ["--cost"]):
        _refuse_together(f"`{asked[0]}`", _options(arguments, "at", "run"))
    if asked:
        _refuse_together(f"`{asked[0]}`", _options(arguments, "svg"))
    if arguments.design is not None and not arguments.at:
        raise refuse(
            "E0904",
            "`--design` says which design of `--at FILE`, and there is no `--at`",
            "give the file too, as `--at found.json --design 2`",
        )
    if asked:
        return _run_view(asked[0].removeprefix("--"), arguments)
    if arguments.at or arguments.run or _sets_variable(arguments):
        from ebmlang.cli.explaining import run_point

        return run_point(arguments)
    return _explain_spec(arguments)


def _options(arguments: Namespace, *names: str) -> list[str]:
    """Return those of some options that are given."""
    return [f"--{name}" for name in names if vars(arguments)[name]]


def _refuse_together(first: str, others: list[str]) -> None:
    if others:
        raise refuse("E0904", f"{first} and `{others[0]}` are two questions", "ask one of them")


def _run_view(view: str, arguments: Namespace) -> int:
    from ebmlang.cli import explaining

    runs = {
        "conflict": explaining.run_conflict,
        "repair": explaining.run_repair,
        "vacuous": explaining.run_vacuous,
        "cost": explaining.run_cost,
    }
    return runs[view](arguments)


def _sets_variable(arguments: Namespace) -> bool:
    """Whether `--set` gives a value to a variable, and so speaks of a point."""
    if not arguments.set:
        return False
    from ebmlang.api.load import load

    model = load(arguments.spec, constants=read_numbers(arguments.const, "--const"))
    variables = {item["path"] for item in model.interface()["variables"]}
    return not variables.isdisjoint(read_pairs(arguments.set, "--set"))


def _explain_spec(arguments: Namespace) -> int:
    if arguments.svg:
        from ebmlang.cli.term_tree import write_spec_tree

        return write_spec_tree(arguments)
    from ebmlang.api.explain_spec import describe_facts

    described = describe_facts(load_with_data(arguments))
    if arguments.json:
        print_json(described)
        return 0
    from ebmlang.cli.spec_page import print_spec_page

    print_spec_page(open_console(), described)
    return 0


def _explain_code(code: str, *, as_json: bool) -> int:
    if code not in CODES:
        raise refuse("E0905", f"no message has the code `{code}`", "codes look like `E0302`")
    text = find_page(code).read_text(encoding="utf-8")
    if as_json:
        print_json({"code": code, "slug": CODES[code].slug, "text": text})
    else:
        print(text, end="")
    return 0


def find_page(code: str) -> Path:
    """Return the page of a code: the checkout's, else the one in the package."""
    package = Path(__file__).resolve().parents[1]
    # An editable install has a stale copy in the package: the checkout comes first.
    folders = (package.parent / "docs" / "errors", package / "_errors")
    return next(folder for folder in folders if folder.is_dir()) / f"{code}.md"


COMMAND = Command(_add_arguments, _run)
