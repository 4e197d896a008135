import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model
from ebmlang.api.divergence import blame_divergences, measure_slopes

FUNNEL = """var v: real ~ normal(0, 3)
var x: real[9]
minimize neck: sum(x^2) * exp(-v) / 2 + 4.5 * v
minimize weak: 0.01 * v^2
"""


def point(v: float, x: float) -> torch.Tensor:
    return torch.cat([torch.full((1, 1), v), torch.full((1, 9), x)], 1).double()


@pytest.fixture(scope="module")
def module():
    return compile_model(ebmlang.loads(FUNNEL), dtype=torch.float64, device="cpu")


def test_slopes_are_gradients_in_units_of_the_spread(module) -> None:
    scale = torch.tensor([3.0, *[2.0] * 9], dtype=torch.float64)

    slopes = measure_slopes(module, point(-2.0, 0.5), scale)

    # d neck / dv = 4.5 - 9 x^2 exp(2) / 2, d neck / dx = x exp(2).
    by_v, by_x = 4.5 - 9 * 0.25 * np.exp(2) / 2, 0.5 * np.exp(2)
    assert float(slopes["neck"]) == pytest.approx(np.hypot(3 * by_v, 2 * 3 * by_x))
    assert float(slopes["weak"]) == pytest.approx(3 * 0.04)
    assert float(slopes["v"]) == pytest.approx(3 * 2 / 9)


def test_the_steepest_term_is_named_with_its_place(module) -> None:
    points = torch.cat([point(-8.0, 1.0), point(-6.0, 1.0), point(9.0, 0.0)])

    found = blame_divergences(module, points, torch.ones(10).double())

    assert found is not None
    assert found.text == "`neck` is steepest where trajectories diverged"
    assert found.span.text.startswith("minimize neck")


def test_a_gradient_that_is_not_finite_is_steepest() -> None:
    spec = "var a: real\nminimize steep: 1000 * a^2\nminimize edge: 1 / (a - 1)^2\n"
    module = compile_model(ebmlang.loads(spec), dtype=torch.float64, device="cpu")

    found = blame_divergences(module, torch.ones(1, 1).double(), torch.ones(1).double())

    assert found is not None
    assert "`edge`" in found.text


def test_nothing_is_blamed_where_nothing_diverged(module) -> None:
    assert blame_divergences(module, torch.empty(0, 10).double(), torch.ones(10).double()) is None


@pytest.mark.slow
def test_a_run_that_diverged_points_at_the_term() -> None:
    samples = ebmlang.loads(FUNNEL).sample(chains=16, draws=300, warmup=300, seed=1, method="hmc")

    verdict = samples.verdict
    assert not verdict.trusted
    assert samples.divergences.sum() > 0
    assert verdict.place is not None
    assert "`neck`" in verdict.place.text
    assert verdict.place.text in samples.describe()["remarks"]
