"""The batch pass keeps values and gradients: with batches from two steps on, so that random specs
have many.

Sums over several pools are added up in another order, so values agree to rounding.
"""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from ebmlang.passes import PASSES
from ebmlang.passes.batching import batch_terms
from ebmlang.testing.laws import SHARP, assert_same_values
from ebmlang.testing.strategies import Arithmetic, specs
from ebmlang.testing.values import by_oracle, by_torch, compiled, gradients, graph_of, points_of

LAW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

BEFORE = PASSES[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", Arithmetic)
def test_batched_specs_have_the_values_of_the_oracle(arithmetic):
    @LAW
    @given(specs(arithmetic, depth=2))
    def law(case):
        graph = batch_terms(graph_of(case, BEFORE), least=2)

        assert_same_values(by_torch(case, compiled(case, graph=graph)), by_oracle(case), SHARP)

    law()


@pytest.mark.slow
def test_batching_keeps_gradients():
    @LAW
    @given(specs(Arithmetic.SMOOTH, depth=2))
    def law(case):
        graph = graph_of(case, BEFORE)
        truth = gradients(case, compiled(case, graph=graph))

        found = gradients(case, compiled(case, graph=batch_terms(graph, least=2)))

        for one, other in zip(found, truth, strict=True):
            for path, value in other.items():
                np.testing.assert_allclose(one[path], value, rtol=SHARP, atol=SHARP)

    law()


@pytest.mark.slow
def test_gradients_written_from_batches_are_those_of_autograd_without():
    @LAW
    @given(specs(Arithmetic.SMOOTH, depth=2))
    def law(case):
        graph = graph_of(case, BEFORE)
        truth = gradients(case, compiled(case, graph=graph))

        energy = compiled(case, graph=batch_terms(graph, least=2))
        _, slopes = energy.packed().energy_and_gradient(energy.pack(points_of(case, torch.float64)))

        rows = energy.unpack(slopes)
        for place, one in enumerate(truth):
            for path, value in one.items():
                np.testing.assert_allclose(rows[path][place], value, rtol=SHARP, atol=SHARP)

    law()
