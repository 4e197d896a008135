"""The same emitted code on a CUDA device, against the CPU."""

import numpy as np
import pytest
import torch

from ebmlang.graph import EnergyGraph, Kind, RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.source import EbmError
from tests.lower.sketch import Sketch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

CLOSE = {torch.float32: 1e-4, torch.float64: 1e-11}
"""The order of sums differs between devices."""


def make() -> EnergyGraph:
    """Pairs, an OR, a recurrence, data and a weight."""
    body = Sketch()
    state, element = body.parameter(0), body.parameter(1)
    result = body("tanh", body("add", state, element))
    s = Sketch()
    x = s.variable("x", (6, 2))
    first, second = np.triu_indices(6, k=1)
    left, right = (s("take", x, s.constant(p), axis=-2) for p in (first, second))
    gaps = s("norm", s("sub", left, right), axes=(-1,))
    energies = s("square", s("relu", s("sub", s.given("gap", (1,)), gaps)))
    either = s("noisy_or", energies, axes=(-1,))
    place = s.given("row", (), Kind.INT)
    s.root(RootKind.INDEX, place, "m", size=6)
    row = s("take", x, place, axis=-2)
    states = s.scan(body.body(result), s.constant(0.1), [row], steps=2)
    total = s("mul", s("add", either, s("sum", states, axes=(-1,))), s.weight("m", 2.0))
    return s.graph(total)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_energy_and_gradient_agree_with_the_cpu(dtype: torch.dtype) -> None:
    energy = compile_graph(make(), dtype=dtype)
    energy.bind({"gap": [2.0], "row": 3})
    points = torch.randn((256, 12), generator=torch.Generator().manual_seed(0), dtype=dtype)

    def with_gradient(device: str) -> list[torch.Tensor]:
        target = energy.to(device).packed()
        x = points.to(device).requires_grad_()
        value = target.energy(x)
        return [value.detach().cpu(), torch.autograd.grad(value.sum(), x)[0].cpu()]

    tolerance = CLOSE[dtype]
    for found, expected in zip(with_gradient("cuda"), with_gradient("cpu"), strict=True):
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_an_index_outside_is_found_before_the_device_reads_through_it() -> None:
    energy = compile_graph(make(), device="cuda")

    with pytest.raises(EbmError, match="index 6"):
        energy.bind({"gap": [2.0], "row": 6})
