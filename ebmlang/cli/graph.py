"""`ebm graph`: print a spec at one boundary on its way to code."""

from argparse import ArgumentParser, Namespace

from ebmlang.cli.console import print_json
from ebmlang.cli.loading import load_with_data
from ebmlang.cli.options import Command, add_spec, refuse

AST = "ast"
STAGES = (AST, "typed", "graph", "optimized", "code", "gradient")


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser)
    parser.add_argument("--stage", default="graph", help=", ".join(STAGES))


def _run(arguments: Namespace) -> int:
    if arguments.stage not in STAGES:
        known = ", ".join(f"`{stage}`" for stage in STAGES)
        raise refuse("E0904", f"there is no stage `{arguments.stage}`", f"the stages are {known}")
    text = _show_ast(arguments.spec) if arguments.stage == AST else None
    if text is None:
        text = load_with_data(arguments).graph(arguments.stage)
    if arguments.json:
        print_json({"stage": arguments.stage, "text": text})
    else:
        print(text, end="")
    return 0


def _show_ast(spec: str) -> str:
    """Return the tree of a file, which need not make sense beyond its grammar."""
    from ebmlang.source import Report
    from ebmlang.source.files import read_source
    from ebmlang.syntax import parse_file, show_tree

    report = Report()
    file = parse_file(read_source(spec), report)
    report.raise_if_errors()
    return show_tree(file).rstrip("\n") + "\n"


COMMAND = Command(_add_arguments, _run)
