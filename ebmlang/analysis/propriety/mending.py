"""Text to paste that would close a way out, in the words of the spec's own declaration."""

import math
import re

from ebmlang.analysis.affine import AffineForms, Coordinate
from ebmlang.analysis.propriety.curve import SHRINKING
from ebmlang.analysis.propriety.witness import Witness
from ebmlang.graph import VariableInfo
from ebmlang.lang.types import DomainKind

REACH = 10.0
"""Bounds that are offered where there are none: variables are near 1 in most specs."""

INSET = 0.01
"""How far a bound is moved inwards where E falls towards it: this share of the width, or of 1."""

_DECLARATION = re.compile(
    r"\w+\s*:\s*(?P<array>array\s*\[[^\]]*\]\s*of\s*)?(?:real|positive)\s*(?P<shape>\[[^\]]*\])?"
    r"(?:\s*in\s*\[[^\]]*\])?\s*(?P<prior>~[^#\n]*)?"
)


def suggest(forms: AffineForms, witness: Witness) -> list[str]:
    """Return text to paste that would mend a way out."""
    moving = min(witness.curve.rates)
    at = forms.coordinates[moving]
    if at.kind not in (DomainKind.REAL, DomainKind.POSITIVE):
        return []
    (info,) = (v for v in forms.elements.facts.graph.variables if v.path == at.path)
    helps = [f"bound it: `{_bounded(info, at, witness, moving)}`"]
    if witness.curve.motion != SHRINKING and witness.log_rate != -math.inf:
        prior = "half_normal(1)" if at.lower == 0 else "normal(0, 10)"
        name = at.path.replace(".", "_")
        helps.append(f"or add a term that grows in it: `prefer {name}_held: {at.path} ~ {prior}`")
    return helps


def _bounded(info: VariableInfo, at: Coordinate, witness: Witness, moving: int) -> str:
    """Return the declaration of a variable with bounds, its size and its prior as they are."""
    low = at.lower if math.isfinite(at.lower) else min(-REACH, at.upper - REACH)
    high = at.upper if math.isfinite(at.upper) else max(REACH, at.lower + REACH)
    step = INSET * min(high - low, 1.0)
    if witness.curve.motion == SHRINKING:
        # It goes towards where it starts: away from there, if that is an end of the domain.
        place = witness.curve.start[moving]
        low, high = low + step * (place == at.lower), high - step * (place == at.upper)
    elif at.kind is DomainKind.POSITIVE:
        low = step
    shape = f"[{', '.join(str(size) for size in info.shape)}]" if info.shape else ""
    prior = ""
    if info.span is not None:
        written = _DECLARATION.match(info.span.source.text, info.span.start)
        if written is not None and not written["array"]:
            shape = written["shape"] or ""
            prior = f" {written['prior'].strip()}" if written["prior"] else ""
    name = at.path.rpartition(".")[2]
    return f"var {name}: real{shape} in [{low:g}, {high:g}]{prior}"
