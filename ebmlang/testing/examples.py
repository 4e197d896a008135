"""An example tested: whether what is to hold at its point holds, and what is not does not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.api.compile import compile_model
from ebmlang.api.model import Model
from ebmlang.check.claims import Example, Property, Verdict
from ebmlang.check.paths import find_terms
from ebmlang.source import Diagnostic, Label, Span
from ebmlang.testing.outcome import Outcome, show_margin
from ebmlang.testing.properties import compile_property


def check_example(model: Model, claim: Example) -> Outcome:
    """Look at the point of an example.

    Args:
        model: The model whose file states it, with data.
        claim: The example.

    Raises:
        EbmError: Data is missing or wrong, E0701-E0705.
    """
    properties = {c.name: c for c in model.program.claims if isinstance(c, Property)}
    point = {setting.path: setting.value for setting in claim.settings}
    inputs = {item["path"] for item in model.interface()["inputs"]}
    bound = model.bind({path: value for path, value in point.items() if path in inputs})
    margins = {
        verdict.path: compile_property(bound, properties[verdict.path]).margin(point)
        for verdict in claim.verdicts
        if verdict.path in properties
    }
    if len(margins) < len(claim.verdicts):
        margins |= _find_margins(bound, point)
    places = {path: term.span for path, term in find_terms(model.program).items()}
    places |= {name: one.span for name, one in properties.items()}
    failures = tuple(
        _report(claim, verdict, margins[verdict.path], places[verdict.path])
        for verdict in claim.verdicts
        if not _is_as_said(verdict, margins[verdict.path])
    )
    return Outcome(kind="example", name=claim.name, points=1, failures=failures)


def _find_margins(model: Model, point: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Return the margins of all constraints; what is not set does not matter to those asked for."""
    module = compile_model(model)
    batch = {
        variable.path: torch.as_tensor(
            np.array(point.get(variable.path, np.zeros(variable.shape)))
        )[None]
        for variable in module.graph.variables
    }
    with torch.no_grad():
        values = module.terms(batch)
    return {path: float(margin[0]) for path, margin in values.margins.items()}


def _is_as_said(verdict: Verdict, margin: float) -> bool:
    # What is not a number does not hold.
    return (margin >= 0) is verdict.holds


def _report(claim: Example, verdict: Verdict, margin: float, place: Span) -> Diagnostic:
    should = "satisfy" if verdict.holds else "violate"
    return Diagnostic(
        code="E0417",
        headline=f"the example `{claim.name}` does not {should} `{verdict.path}`",
        primary=Label(verdict.span, f"{show_margin(margin)} here"),
        secondary=(Label(place, "declared here"),),
    )
