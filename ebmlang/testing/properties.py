"""A property tested: compiled once, then searched by hypothesis for a point where it fails.

What is found is shrunk, and shown as an `example` that can be pasted into the file.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from hypothesis import Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from numpy.typing import NDArray

from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.graphs import find_graph
from ebmlang.api.model import Model
from ebmlang.api.sizes import bind_sizes
from ebmlang.check.claims import Counted, Property, property_body
from ebmlang.check.dependence import find_term_variables
from ebmlang.lang import evaluate_dim
from ebmlang.source import Diagnostic, EbmError, Label
from ebmlang.testing.domain_points import corners, find_bounds, states, states_of_counted
from ebmlang.testing.outcome import Outcome, show_margin
from ebmlang.testing.pasting import find_name, is_short, show_example, sketch_example

if TYPE_CHECKING:
    from ebmlang.lower.module import CompiledEnergy

MOST_NUMBERS = 100_000
"""Most numbers of which one point is made."""

CORNERS = 64
"""Most points of which every part is at an end of its domain."""

Point: TypeAlias = Mapping[str, NDArray[Any]]
"""Values by path. Any: float64, int64 or bool."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledProperty:
    """A property as a function of a point.

    Attributes:
        claim: The property.
        module: The program that has it as its one term.
        data: Values of the file's inputs.
        drawn: Where each name lives that it depends on, as a strategy.
        corners: The ends of these places, where they have any.
    """

    claim: Property
    module: "CompiledEnergy"
    data: Point
    drawn: Mapping[str, st.SearchStrategy[NDArray[Any]]]
    corners: Mapping[str, tuple[NDArray[Any], ...]]

    def margin(self, point: Point) -> float:
        """Return the margin at a point; what is left out is taken to be 0."""
        counted = {one.given.symbol.name for one in self.claim.counted}
        if counted:
            values = {path: value for path, value in point.items() if path in counted}
            self.module.bind({**self.data, **values})
        batch = {
            variable.path: torch.as_tensor(
                np.array(point.get(variable.path, np.zeros(variable.shape)))
            )[None]
            for variable in self.module.graph.variables
        }
        with torch.no_grad():
            return float(self.module.terms(batch).margins[self.claim.name][0])


def compile_property(model: Model, claim: Property) -> CompiledProperty:
    """Return a property of a model as a function, with the model's data bound.

    Raises:
        EbmError: Data is missing or wrong, E0701-E0705; its points are too large, E0316.
    """
    body = property_body(model.program.body, claim)
    sizes = bind_sizes(model.program, model.data).sizes
    counted = {one.given.symbol.name: states_of_counted(one, sizes) for one in claim.counted}
    starts = {one.given.symbol.name: _first(one, sizes) for one in claim.counted}
    alone = replace(
        model,
        program=replace(model.program, body=body, claims=()),
        data={**model.data, **starts},
        weights={},
        graphs={},
        modules={},
        proofs={},
    )
    module = compile_model(alone)
    needed = find_term_variables(body)[claim.name] | set(claim.bound)
    domains = {b.path: b.domain for b in lay_out(module).blocks if b.path in needed}
    _require_small(
        claim, sum(d.size for d in domains.values()) + sum(s.size for s in starts.values())
    )
    return CompiledProperty(
        claim=claim,
        module=module,
        data=find_graph(alone)[1].data,
        drawn={**{path: states(domain) for path, domain in domains.items()}, **counted},
        corners={
            **{path: corners(domain) for path, domain in domains.items()},
            **{one.given.symbol.name: _ends(one, sizes) for one in claim.counted},
        },
    )


def _require_small(claim: Property, numbers: int) -> None:
    if numbers > MOST_NUMBERS:
        problem = Diagnostic(
            code="E0316",
            headline=f"a point of the property `{claim.name}` is too large to be drawn",
            primary=Label(
                claim.place, f"{numbers:,} numbers, and at most {MOST_NUMBERS:,} are allowed"
            ),
        )
        raise EbmError(problem)


def _first(counted: Counted, sizes: Mapping[str, int]) -> NDArray[Any]:
    shape = tuple(evaluate_dim(size, sizes) for size in counted.given.type.shape)
    bounds = find_bounds(counted, sizes)
    return np.full(shape, 0 if bounds is None else bounds[0])


def _ends(counted: Counted, sizes: Mapping[str, int]) -> tuple[NDArray[Any], ...]:
    bounds = find_bounds(counted, sizes)
    first = _first(counted, sizes)
    return () if bounds is None else (first, np.full_like(first, bounds[1]))


def _corner_points(compiled: CompiledProperty) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield points whose every part is at an end, or 0 where its place has none."""
    choices = [
        compiled.corners[path] or (find(drawn, lambda _: True, settings=_settings(1)),)
        for path, drawn in compiled.drawn.items()
    ]
    for point in itertools.islice(itertools.product(*choices), CORNERS):
        yield dict(zip(compiled.drawn, point, strict=True))


def check_property(model: Model, claim: Property, *, points: int, seed: int) -> Outcome:
    """Search a property for a point where it does not hold.

    Args:
        model: The model whose file states it, with data.
        claim: The property.
        points: How many points are looked at, shrinking not counted.
        seed: Of all random numbers.

    Raises:
        EbmError: Data is missing or wrong, E0701-E0705.
    """
    compiled = compile_property(model, claim)
    tried = 0

    def fails(point: Point) -> bool:
        nonlocal tried
        tried += 1
        # Written so that what is not a number fails.
        return not compiled.margin(point) >= 0

    # A corner cannot be shrunk, so it is taken only where nothing else is found.
    corner = next(filter(fails, _corner_points(compiled)), None)
    try:
        found = find(
            st.fixed_dictionaries(dict(compiled.drawn)),
            fails,
            settings=_settings(points),
            random=Random(seed),
        )
    except NoSuchExample:
        if corner is None:
            return Outcome(kind="property", name=claim.name, points=tried)
        found = corner
    name = find_name(claim, {other.name for other in model.program.claims})
    text = show_example(name, claim, found)
    margin = compiled.margin(found)
    failure = Diagnostic(
        code="E0417",
        headline=f"the property `{claim.name}` does not hold everywhere",
        primary=Label(claim.place, f"{show_margin(margin)} at the counterexample below"),
        helps=(_advise(text) if is_short(found) else _sketch(name, claim, found),),
    )
    return Outcome(
        kind="property", name=claim.name, points=tried, failures=(failure,), counterexample=text
    )


def _advise(text: str) -> str:
    return f"keep the counterexample as a test of its own:\n{text}"


def _sketch(name: str, claim: Property, point: Point) -> str:
    return (
        "keep the counterexample as a test of its own; it is cut here, and `ebm test --json`\n"
        f"has it whole:\n{sketch_example(name, claim, point)}"
    )


def _settings(points: int) -> settings:
    """Return settings under which the same seed finds the same, whatever the profile."""
    return settings(
        max_examples=points,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        verbosity=Verbosity.quiet,
    )
