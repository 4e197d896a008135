"""Solvers and samplers on a CUDA device give what they give on the CPU."""

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample import sample
from ebmlang.solve import solve
from ebmlang.spaces import build_layout
from ebmlang.spaces.domain import ConcreteDomain
from tests.runtime.function_target import FunctionTarget, layout_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]

CUDA = torch.device("cuda")

dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


@dtypes
def test_a_cluster_reaches_the_published_optimum(dtype: torch.dtype) -> None:
    first, second = torch.triu_indices(7, 7, 1)

    def energy(x: Tensor) -> Tensor:
        atoms = x.view(-1, 7, 3)
        inverse = (atoms[:, first] - atoms[:, second]).square().sum(-1) ** -3
        return (4 * (inverse.square() - inverse)).sum(1)

    target = FunctionTarget(dim=21, energy=energy, dtype=dtype, device=CUDA)

    found = solve(target, layout_of(DomainKind.REAL, 7, 3, lower=-2.0, upper=2.0))

    assert found.points.is_cuda
    assert abs(float(found.energies[0]) + 16.505384) < 1e-4


@dtypes
def test_a_requirement_holds_exactly(dtype: torch.dtype) -> None:
    target = FunctionTarget(
        dim=2,
        energy=lambda x: x.sum(1),
        requirements=lambda x: (1 - x.square().sum(1))[:, None],
        dtype=dtype,
        device=CUDA,
    )

    found = solve(target, layout_of(DomainKind.REAL, 2))

    assert found.is_feasible
    assert float(found.energies[0]) == pytest.approx(-(2**0.5), abs=1e-3)


@dtypes
def test_every_kind_of_domain_is_sampled(dtype: torch.dtype) -> None:
    layout = build_layout(
        {
            "real": ConcreteDomain(kind=DomainKind.REAL, shape=(2,)),
            "positive": ConcreteDomain(kind=DomainKind.POSITIVE, shape=()),
            "ordered": ConcreteDomain(kind=DomainKind.ORDERED, shape=(3,)),
            "simplex": ConcreteDomain(kind=DomainKind.SIMPLEX, shape=(3,)),
            "unit": ConcreteDomain(kind=DomainKind.UNIT, shape=(3,)),
            "rotation": ConcreteDomain(kind=DomainKind.ROTATION, shape=(3, 3)),
        }
    )

    def energy(x: Tensor) -> Tensor:
        return x[:, :2].square().sum(1) / 2 + x[:, 2] + x[:, 3:6].square().sum(1) / 2

    target = FunctionTarget(dim=layout.dim, energy=energy, dtype=dtype, device=CUDA)

    draws = sample(target, layout, chains=256, warmup=200, draws=100)

    assert draws.points.is_cuda
    assert bool(torch.isfinite(draws.points).all())
    # 256 chains of 100 draws: well over 2,500 independent ones, so 0.1 is five standard errors.
    assert float(draws.points[..., 0].square().mean()) == pytest.approx(1, abs=0.15)
    assert float(draws.points[..., 2].mean()) == pytest.approx(1, abs=0.1)
    assert float(draws.points[..., 6].mean()) == pytest.approx(1 / 3, abs=0.03)
