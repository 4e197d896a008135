"""The graph of a potential agrees with a sampler's chart around the energy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.graph import Root, RootKind
from ebmlang.graph.validate import validate_graph
from ebmlang.lang import DomainKind
from ebmlang.lower.module import compile_graph
from ebmlang.lower.trace import trace_nodes
from ebmlang.passes.coordinates import free_coordinates
from ebmlang.spaces import ConcreteDomain, build_layout, build_sampling_chart
from tests.lower.sketch import Sketch

BOUNDS = ((-math.inf, math.inf), (0.5, math.inf), (-math.inf, 2.0), (-1.0, 3.0), (0.25, 0.25))


def sketch_sum_of_squares(shapes):
    sketch = Sketch()
    squares = []
    for i, shape in enumerate(shapes):
        x = sketch.variable(f"x{i}", shape)
        square = sketch.node("square", (x,), of=shape)
        axes = tuple(range(-len(shape), 0))
        squares.append(sketch.node("sum", (square,), axes=axes) if shape else square)
    total = squares[0]
    for square in squares[1:]:
        total = sketch.node("add", (total, square))
    return sketch.graph(total)


@st.composite
def domains(draw):
    found = {}
    for i in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
        size = math.prod(shape)
        chosen = draw(st.lists(st.sampled_from(BOUNDS), min_size=size, max_size=size))
        lower, upper = (np.asarray([b[k] for b in chosen]).reshape(shape) for k in (0, 1))
        found[f"x{i}"] = ConcreteDomain(kind=DomainKind.REAL, shape=shape, lower=lower, upper=upper)
    return found


@settings(max_examples=40, deadline=None)
@given(domains(), st.integers(0, 2**31))
def test_potential_is_energy_less_the_log_determinant_of_the_chart(found, seed):
    graph = sketch_sum_of_squares([domain.shape for domain in found.values()])
    layout = build_layout(found)
    chart = build_sampling_chart(layout, dtype=torch.float64, device=torch.device("cpu"))
    columns = chart.describe_columns()
    assert columns is not None

    free = free_coordinates(graph, columns)

    validate_graph(free)
    energy = compile_graph(free, dtype=torch.float64)
    kinds = (RootKind.POINT, RootKind.VOLUME, RootKind.POTENTIAL)
    read = trace_nodes(energy, [free.roots[Root(kind)] for kind in kinds])
    q = torch.randn(5, chart.dim, generator=torch.Generator().manual_seed(seed)).double() * 3
    point, volume, potential = (value.expand(5, *value.shape[1:]) for value in read(q))
    x, log_jacobian = chart.to_written(q)
    torch.testing.assert_close(point, x, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(volume, log_jacobian, rtol=1e-12, atol=1e-12)
    expected = x.square().sum(1) - log_jacobian
    torch.testing.assert_close(potential, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [DomainKind.SIMPLEX, DomainKind.UNIT, DomainKind.ORDERED])
def test_columns_that_are_mapped_together_have_no_description(kind):
    layout = build_layout({"x": ConcreteDomain(kind=kind, shape=(3,))})
    chart = build_sampling_chart(layout, dtype=torch.float64, device=torch.device("cpu"))

    assert chart.describe_columns() is None
