"""Which term is to blame where a run finds no point with a finite energy."""

from dataclasses import replace

from ebmlang.lower.module import CompiledEnergy
from ebmlang.source import EbmError
from ebmlang.spaces import Layout, draw_starts

NOT_FINITE = "E0707"

POINTS = 16
"""Points of the domain at which the energy is followed step by step."""


def blame_term(error: EbmError, module: CompiledEnergy, layout: Layout, seed: int) -> EbmError:
    """Return an error of a run with the guilty place in the spec, where it is about one.

    Args:
        error: Of any kind; those that are not about an energy that is not finite stay as they
            are.
        module: The energy, bound to its data.
        layout: Where its points live.
        seed: What the points that are looked at are drawn with.
    """
    (first, *rest) = error.diagnostics
    if first.code != NOT_FINITE or first.primary is not None:
        return error
    from ebmlang.lower.trace import explain_nonfinite

    x = draw_starts(layout, POINTS, seed=seed, dtype=module.dtype, device=module.device)
    found = explain_nonfinite(module, module.unpack(x))
    if found is None:
        return error
    notes = (*found.notes, *first.notes)
    return EbmError(replace(first, primary=found.primary, notes=notes), *rest)
