"""From a text to the parts of the analysis of propriety."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import ebmlang
from ebmlang.analysis import GraphFacts
from ebmlang.analysis.affine import AffineForms, find_affine
from ebmlang.analysis.elements import Elements
from ebmlang.analysis.verdict import Propriety
from ebmlang.graph import Root, RootKind


def facts_of(text: str, data: Mapping[str, Any] | None = None) -> GraphFacts:
    """Any: whatever NumPy reads as an array."""
    values = {name: np.asarray(value) for name, value in (data or {}).items()}
    facts = ebmlang.loads(text).analyze(values)
    assert facts is not None
    return facts


def forms_of(text: str, data: Mapping[str, Any] | None = None) -> AffineForms:
    return find_affine(Elements(facts_of(text, data)))


def total_of(forms: AffineForms) -> int:
    return forms.elements.facts.graph.roots[Root(RootKind.TOTAL)]


def judged(text: str, data: Mapping[str, Any] | None = None) -> Propriety:
    return facts_of(text, data).propriety


def answers(text: str, data: Mapping[str, Any] | None = None) -> tuple[str, str, str]:
    found = judged(text, data)
    verdicts = (found.bounded_below, found.has_minimizer, found.integrable)
    first, second, third = (verdict.answer.value for verdict in verdicts)
    return first, second, third
