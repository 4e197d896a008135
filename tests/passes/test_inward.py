"""Fixed numbers move into products, and never into differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ebmlang
from ebmlang.api.compile import compile_model


@given(
    center=st.floats(0.5, 1000.0),
    ulps=st.integers(-50, 50),
    scale=st.sampled_from([1e3, 1e6, 1e9]),
)
def test_a_difference_near_zero_keeps_all_its_digits(center, ulps, scale):
    """A few units in the last place from the center: there x - c is exact."""
    x = torch.tensor([[center]], dtype=torch.float64)
    apart = ulps * float(torch.finfo(x.dtype).eps)
    x = x + apart * center
    exact = float(x) - center
    module = compile_model(
        ebmlang.loads(f"var x: real\nminimize far: sin((x - {center!r}) * {scale!r})")
    )

    energy, gradient = module.packed().energy_and_gradient(x)

    assert float(energy) == pytest.approx(math.sin(exact * scale), rel=1e-12, abs=0)
    assert float(gradient) == pytest.approx(math.cos(exact * scale) * scale, rel=1e-12, abs=0)
