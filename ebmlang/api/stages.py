"""The printable forms of a spec, one for each boundary on the way from text to code."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ebmlang.api.graphs import build_raw_graph, find_graph
from ebmlang.api.model import Model
from ebmlang.source import Diagnostic, EbmError


def show_stage(model: Model, stage: str) -> str:
    """Return the form of a spec at one stage, ending in a line break.

    Raises:
        EbmError: E0904 for a stage that there is not; what building a graph raises.
    """
    show = STAGES.get(stage)
    if show is None:
        known = ", ".join(f"`{name}`" for name in STAGES)
        raise EbmError(
            Diagnostic(
                code="E0904",
                headline=f"there is no stage `{stage}`",
                helps=(f"the stages are {known}",),
            )
        )
    return show(model).rstrip("\n") + "\n"


def _show_ast(model: Model) -> str:
    from ebmlang.syntax import show_tree

    return show_tree(model.file)


def _show_typed(model: Model) -> str:
    from ebmlang.check import show_program

    return show_program(model.program)


def _show_graph(model: Model) -> str:
    from ebmlang.graph.show import show_graph

    return show_graph(build_raw_graph(model)[0])


def _show_optimized(model: Model) -> str:
    from ebmlang.graph.show import show_graph

    return show_graph(find_graph(model)[0])


def _show_code(model: Model) -> str:
    from ebmlang.lower import emit_source

    return emit_source(find_graph(model)[0])


def _show_gradient(model: Model) -> str:
    from ebmlang.lower.gradient import show_gradient

    return show_gradient(find_graph(model)[0])


STAGES: Mapping[str, Callable[[Model], str]] = MappingProxyType(
    {
        "ast": _show_ast,
        "typed": _show_typed,
        "graph": _show_graph,
        "optimized": _show_optimized,
        "code": _show_code,
        "gradient": _show_gradient,
    }
)
"""What shows each stage, in the order of the road."""
