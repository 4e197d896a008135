"""What a trajectory gained, and whether all at its end is finite."""

import math
from dataclasses import dataclass

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.integrator import faithfulness, find_gain, find_speed, leapfrog
from ebmlang.sample.metric import Dense, Diagonal
from ebmlang.spaces import build_sampling_chart
from tests.runtime.function_target import CPU, layout_of
from tests.sample.laws import kinetic

DIM = 3
NUMBERS = st.sampled_from((0.0, -2.0, 0.5, 1e30, math.inf, -math.inf, math.nan))
LAYOUTS = {
    "real": layout_of(DomainKind.REAL, DIM),
    "positive": layout_of(DomainKind.POSITIVE, DIM),
    "unit": layout_of(DomainKind.UNIT, DIM),
}


@dataclass(frozen=True, kw_only=True)
class Spoiled:
    """A target that says what it is told to, of one chain."""

    value: float
    slope: tuple[float, ...]
    dim: int = DIM
    dtype: torch.dtype = torch.float64
    device: torch.device = CPU

    def energy(self, x: Tensor) -> Tensor:
        return self.energy_and_gradient(x)[0]

    def requirements(self, x: Tensor) -> Tensor:
        return x.new_empty(len(x), 0)

    def energy_and_gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.new_tensor([self.value]), x.new_tensor([self.slope])

    def lagrangian_and_gradient(self, x: Tensor, *terms: Tensor) -> None:
        return None

    def violation_and_gradient(self, x: Tensor, *terms: Tensor) -> None:
        return None


@given(
    domain=st.sampled_from(sorted(LAYOUTS)),
    kind=st.sampled_from(("all", "some", "dense")),
    value=NUMBERS,
    slope=st.tuples(*[NUMBERS] * DIM),
    far=st.sampled_from((0.0, 1e200, 1e308, math.inf)),
)
def test_a_gain_is_a_number_where_all_at_the_end_is_finite(domain, kind, value, slope, far) -> None:
    chart = build_sampling_chart(LAYOUTS[domain], dtype=torch.float64, device=CPU)
    calm = TargetDensity(target=Spoiled(value=1.0, slope=(0.5, 0.0, -1.0)), chart=chart)
    wild = TargetDensity(target=Spoiled(value=value, slope=slope), chart=chart)
    scale = torch.tensor([[1.0, 0.0 if kind == "some" else 2.0, 0.5]], dtype=torch.float64)
    if domain == "unit":
        scale = torch.ones_like(scale)
    is_dense = kind == "dense" and domain != "unit"
    metric = Dense(factor=torch.diag_embed(scale)) if is_dense else Diagonal(scale=scale)
    position = torch.tensor([[0.6, 0.0, 0.8]], dtype=torch.float64)
    momentum = chart.tangent(position, torch.tensor([[0.3 + far, 0.2, -0.1]]).double())
    before = calm.evaluate(position)

    size = torch.full((1, 1), 0.1, dtype=torch.float64)
    end, turned, after = leapfrog(wild, position, momentum, before, size, metric, 1)
    gain = find_gain(wild, before, after, (find_speed(momentum), find_speed(turned)), end)

    change = wild.gain(before, after) + kinetic(turned) - kinetic(momentum)
    finite = after.finite & torch.isfinite(change) & torch.isfinite(end).all(1)
    torch.testing.assert_close(gain, torch.where(finite, change, torch.nan), equal_nan=True)
    expected = torch.where(finite, change.neg().exp().clamp(max=1), 0)
    torch.testing.assert_close(faithfulness(gain), expected)
