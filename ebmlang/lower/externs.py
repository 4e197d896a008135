"""Functions from Python, called so that what goes wrong in them names the term and its place."""

from collections.abc import Callable

from torch import Tensor

from ebmlang.graph import EnergyGraph
from ebmlang.source import Diagnostic, EbmError, Label


def guard_extern(
    function: Callable[..., Tensor], name: str, graph: EnergyGraph
) -> Callable[..., Tensor]:
    """Return a function that does the same, and speaks of the spec where it cannot.

    Args:
        function: From Python.
        name: What the spec calls it.
        graph: Where it is called.

    Raises:
        EbmError: By the function returned: E0725 where it raises, or returns no array of real
            numbers with the leading axes of what it was given.
    """
    # What no unknown decides is computed once, without an axis of chains.
    batched = all(graph.varying[number] for number in _calls(graph, name))

    def guarded(*values: Tensor) -> Tensor:
        try:
            found = function(*values)
        except EbmError:
            raise
        # Any exception at all: the function is the user's.
        except Exception as error:
            why = f"it raised {type(error).__name__}: {error}".rstrip(": ")
            raise _blame(graph, name, why) from error
        if not isinstance(found, Tensor):
            raise _blame(graph, name, f"it returned {type(found).__name__}, and no tensor")
        if not found.is_floating_point():
            kind = str(found.dtype).removeprefix("torch.")
            raise _blame(graph, name, f"it returned {kind} numbers, and no real ones")
        chains = {value.shape[0] for value in values if value.dim()}
        if batched and chains and (not found.dim() or found.shape[0] not in chains):
            shape = list(found.shape)
            why = f"it returned the shape {shape} for {max(chains)} points: their axis is missing"
            raise _blame(graph, name, why)
        return found

    return guarded


def _blame(graph: EnergyGraph, name: str, why: str) -> EbmError:
    calls = _calls(graph, name)
    terms = dict.fromkeys(path for number in calls for path in graph.terms_of(number))
    spans = [span for number in calls if (span := graph.nodes[number].origin.span) is not None]
    part = ", ".join(f"`{path}`" for path in terms)
    return EbmError(
        Diagnostic(
            code="E0725",
            headline=f"the function `{name}` cannot be evaluated",
            primary=Label(spans[0], why) if spans else None,
            notes=(f"it is part of {part}",) if part else (),
            helps=("it gets tensors `[chain, ...]` and returns a real tensor `[chain]`",),
        )
    )


def _calls(graph: EnergyGraph, name: str) -> list[int]:
    return [
        number
        for number, node in enumerate(graph.nodes)
        if node.operator == "extern" and node.option("name") == name
    ]
