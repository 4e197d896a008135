"""`ebm explain --svg`: the tree of terms as a picture, bare or with what each answers for."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ebmlang.cli.console import print_json
from ebmlang.cli.loading import load_with_data
from ebmlang.cli.options import read_out

if TYPE_CHECKING:
    from ebmlang.plot.term_tree import TreeNode
    from ebmlang.runs.explanation import Explanation

FINE = 0


def write_term_tree(arguments: Namespace, name: str, found: "Explanation") -> int:
    """Write the tree of a spec at a point, or over a run."""
    from ebmlang.plot.term_tree import build_tree

    return _write(arguments, build_tree(name, found))


def write_spec_tree(arguments: Namespace) -> int:
    """Write the tree of a spec alone: what it is made of."""
    from ebmlang.api.composed import compose_model
    from ebmlang.plot.term_tree import build_bare_tree

    model = load_with_data(arguments)
    return _write(arguments, build_bare_tree(model.name, compose_model(model).composition))


def _write(arguments: Namespace, tree: "TreeNode") -> int:
    from ebmlang.plot.svg import draw_tree
    from ebmlang.runs.store import write_atomically

    out = read_out(arguments.svg)
    assert out is not None
    text = draw_tree(tree)

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_atomically(out, write)
    if arguments.json:
        print_json({"written": str(out)})
    elif not arguments.quiet:
        print(f"wrote {out}")
    return FINE
