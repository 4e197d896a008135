"""Whole specs, compiled, against the oracle: every term, margin, report, and the gradient."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

from ebmlang.lower.reference import gradient
from ebmlang.testing.laws import assert_kernel_matches_oracle
from ebmlang.testing.strategies import Arithmetic, Case, specs
from ebmlang.testing.values import by_oracle, by_torch, compiled, gradients
from tests.road import typed

LAW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

SLOPES = {"rtol": 1e-6, "atol": 1e-6}
"""Extrapolated differences; a hundred times the worst disagreement of two step sizes."""


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", Arithmetic)
def test_compiled_specs_have_the_values_of_the_oracle(arithmetic):
    @LAW
    @given(specs(arithmetic))
    def law(case):
        assert_kernel_matches_oracle(case)

    law()


@pytest.mark.slow
@settings(LAW, max_examples=40)
@given(case=specs(depth=2))
def test_compiled_specs_have_the_values_of_the_oracle_in_float32(case):
    # Both see the same numbers: those of the case, rounded.
    assert_kernel_matches_oracle(case.rounded(), dtype=torch.float32)


@pytest.mark.slow
@settings(LAW, max_examples=25)
@given(case=specs(depth=2))
def test_compiled_gradients_are_those_of_the_oracle(case):
    program = typed(case.text)
    truth = by_oracle(case, program)
    assume(np.isfinite(truth.total).any())

    found = gradients(case, compiled(case))

    for point, slopes, total in zip(case.points, found, truth.total, strict=True):
        if not np.isfinite(total):
            continue
        wide, narrow = (
            gradient(program, point=point, data=case.data, sizes=case.sizes, first_step=step)
            for step in (2.0**-8, 2.0**-10)
        )
        for path, expected in narrow.items():
            # Where the step sizes disagree there is a kink in between, and no gradient to know.
            known = np.isclose(expected, wide[path], rtol=1e-8, atol=1e-8)
            assert slopes[path].shape == expected.shape
            np.testing.assert_allclose(slopes[path][known], expected[known], **SLOPES)


EDGES = {
    "an AND over nothing": ("logic godel\nprefer t: forall i in 1..0: x <= i", 1.0, 0.0),
    "an AND over what is left out": (
        "logic godel\nprefer t: forall i in 0..1 where i > 1: x <= i", 1.0, 0.0),
    "not an OR over nothing": ("logic godel\nprefer t: not exists i in 1..0: x <= i", 1.0, 0.0),
    "an OR over nothing": ("logic godel\nprefer t: exists i in 1..0: x <= i", 1.0, np.inf),
    "a mixture of nothing": ("prefer t: exists m in [0.0] where m > 1: x ~ normal(m, 1)", 1.0,
                             np.inf),
    "unlike what is impossible too": (
        "prefer t: unlike(x ~ uniform(0, 1), x ~ uniform(2, 3))", 5.0, np.inf),
    "a spec with a part as an expression": (
        """spec low(a: real) { prefer t: a <= 0 weight 3 }
        spec pair(a: real) { part twice = low(2 * a) weight 2\n prefer t: a <= 0 }
        prefer t: pair(x)""", 1.0, 2 * 3 * 2 + 0.5),
}  # fmt: skip
"""Specs on `x`, a value of `x`, and the energy of their term `t`."""


@pytest.mark.parametrize(("text", "x", "energy"), EDGES.values(), ids=EDGES.keys())
def test_at_the_edges_the_compiled_value_is_that_of_the_oracle(text, x, energy):
    case = Case(text=f"var x: real\n{text}", sizes={}, data={}, points=({"x": np.float64(x)},))

    assert by_oracle(case).energies["t"] == [energy]
    assert by_torch(case, compiled(case)).energies["t"] == [energy]
