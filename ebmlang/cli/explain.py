"""`ebm explain`: what each term says of a point, or what the code of a message means."""

import re
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ebmlang.cli.console import open_console, print_json
from ebmlang.cli.loading import load_with_data
from ebmlang.cli.options import Command, add_spec, add_weights, read_pairs, refuse
from ebmlang.source import CODES

CODE = re.compile(r"[EW]\d{4}", re.IGNORECASE)


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
        "--design", default="1", metavar="N", help="which design of such a result; the first is 1"
    )


def _run(arguments: Namespace) -> int:
    if CODE.fullmatch(arguments.spec) and not Path(arguments.spec).exists():
        return _explain_code(arguments.spec.upper(), as_json=arguments.json)
    if not (arguments.at or arguments.set):
        raise refuse(
            "E0904",
            "there is no point to explain",
            "give one with `--at FILE`, such as the result of `ebm solve --out FILE`",
            "or set its variables, as in `--set x=1`",
        )
    from ebmlang.api.interface import describe_interface
    from ebmlang.api.points import read_point

    point: dict[str, object] = {}
    for file in arguments.at:
        point |= read_point(file, arguments.design)
    settings = read_pairs(arguments.set, "--set")
    arguments.set = []
    model = load_with_data(arguments)
    variables = {item["path"] for item in describe_interface(model.program)["variables"]}
    point |= {path: value for path, value in settings.items() if path in variables}
    model = model.bind({p: value for p, value in settings.items() if p not in variables})
    design = model.explain(point)  # type: ignore[arg-type]
    if arguments.json:
        print_json(design.describe())
        return 0
    from ebmlang.cli.tables import draw_point, draw_terms, show_number

    console = open_console()
    if not arguments.quiet:
        console.print(draw_point(design))
    console.print(draw_terms(design))
    console.print(f"energy {show_number(design.energy)}")
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
