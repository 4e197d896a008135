"""The verbs of a model, from Python."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang import EbmError
from ebmlang.lower.module import COMPILATIONS
from tests.api.fit import DATA, FIT, fit

# Weights 1/sigma^2 are 1, 1, 1/4; the wide prior with weight 1/2 adds 0.5e-6.
OPTIMUM = (1 + 2 + 4 / 4) / (1 + 1 + 1 / 4 + 0.5e-6)


def energy_by_hand(mu: float, prior_weight: float = 0.5) -> float:
    def normal(x: float, mean: float, sd: float) -> float:
        return ((x - mean) / sd) ** 2 / 2 + math.log(sd) + math.log(2 * math.pi) / 2

    fitted = sum(normal(y, mu, s) for y, s in zip(DATA["y"], DATA["sigma"], strict=True))
    return fitted + prior_weight * normal(mu, 0, 1000)


def test_the_energy_of_a_point_is_a_scalar_and_of_a_batch_one_for_each():
    model = fit().bind(DATA)

    one = model.energy({"mu": 1.5})
    many = model.energy({"mu": [1.5, -3.0]})

    assert one.shape == ()
    assert one.item() == pytest.approx(energy_by_hand(1.5), rel=1e-12)
    assert many.tolist() == pytest.approx([energy_by_hand(1.5), energy_by_hand(-3.0)], rel=1e-12)


def test_the_energy_can_be_differentiated():
    point = torch.tensor(OPTIMUM, dtype=torch.float64, requires_grad=True)

    (gradient,) = torch.autograd.grad(fit().energy({"mu": point}, DATA), point)

    assert abs(gradient.item()) < 1e-9


def test_terms_sum_up_to_the_energy():
    values = fit().terms({"mu": 2.0}, DATA)

    assert set(values.energies) == {"fit", "pull"}
    assert sum(values.energies.values()).item() == pytest.approx(energy_by_hand(2.0), rel=1e-12)


def test_solving_finds_the_weighted_mean():
    found = fit().solve(DATA, starts=4, seed=1)

    assert found.status.value == "solved"
    assert len(found) == 1
    assert found[0].variables["mu"] == pytest.approx(OPTIMUM, abs=1e-6)
    assert found[0].reports["doubled"] == pytest.approx(2 * OPTIMUM, abs=1e-5)
    assert found[0].energy == pytest.approx(energy_by_hand(OPTIMUM), abs=1e-9)


def test_the_same_seed_finds_the_same():
    first, second = (fit().solve(DATA, starts=4, seed=3) for _ in range(2))

    assert first[0].variables["mu"] == second[0].variables["mu"]


@pytest.mark.slow
def test_samples_have_the_mean_and_spread_of_the_posterior():
    samples = fit().sample(DATA, chains=16, draws=400, warmup=300, seed=1)

    precision = 1 + 1 + 1 / 4 + 0.5e-6
    (row,) = [row for row in samples.summary if row.name == "mu"]
    assert samples.draws["mu"].shape == (16, 400)
    assert abs(row.mean - OPTIMUM) < 4 * row.mcse
    assert samples.draws["mu"].std() == pytest.approx(precision**-0.5, rel=0.1)
    np.testing.assert_allclose(samples.reports["doubled"], 2 * samples.draws["mu"])


def test_other_data_of_the_same_shape_weights_or_seeds_compile_nothing():
    model = fit()
    model.solve(DATA, starts=2)
    before = dict(COMPILATIONS)

    model.solve({**DATA, "y": [0.0, 0.0, 1.0]}, starts=2)
    model.bind({"k": 5.0}).solve(DATA, {"pull": 7.0}, starts=2, seed=9)
    model.energy({"mu": 0.0}, DATA, {"fit": 2.0})

    assert dict(COMPILATIONS) == before


def test_data_of_another_size_compiles_once_more():
    model = fit()
    model.energy({"mu": 0.0}, DATA)
    before = COMPILATIONS["graph"]

    for _ in range(2):
        model.energy({"mu": 0.0}, {"y": [1.0, 2.0], "sigma": [1.0, 1.0]})

    assert COMPILATIONS["graph"] == before + 1


def test_a_weight_changes_its_term():
    weighted = fit().energy({"mu": 2.0}, DATA, {"pull": 3.0})

    assert weighted.item() == pytest.approx(energy_by_hand(2.0, prior_weight=3.0), rel=1e-12)


def test_compiled_modules_keep_their_own_data():
    model = fit()
    first = model.compile(DATA)
    second = model.compile({**DATA, "y": [5.0, 5.0, 5.0]}, dtype=torch.float64)
    point = {"mu": torch.tensor([2.0], dtype=torch.float64)}

    assert isinstance(first, torch.nn.Module)
    assert first(point).item() == pytest.approx(energy_by_hand(2.0), rel=1e-12)
    assert second(point).item() != pytest.approx(first(point).item())


def test_a_compiled_module_can_be_moved_without_its_twins():
    model = fit()
    first, second = model.compile(DATA), model.compile(DATA)

    first.to(torch.float32)

    assert first.dtype is torch.float32
    assert second.dtype is torch.float64
    assert model.energy({"mu": 2.0}, DATA).dtype is torch.float64


def test_explaining_a_point_shows_margins_and_truth():
    model = ebmlang.loads("var x: real in [0, 9]\nrequire big: x >= 5 within 2\nminimize low: x")

    design = model.explain({"x": 1.0})

    assert design.margins == {"big": -2.0}
    assert design.satisfied == {"big": False}
    assert design.energy == math.inf
    assert design.terms == {"low": 1.0}


@pytest.mark.parametrize("point", [{}, {"mu": [1.0, 2.0]}, {"mu": 1.0, "nu": 2.0}, {"mu": [[1.0]]}])
def test_a_point_that_does_not_fit_is_refused(point):
    with pytest.raises(EbmError) as raised:
        fit().explain(point, DATA)

    assert raised.value.diagnostics[0].code == "E0710"


def test_a_search_without_feasible_points_keeps_the_nearest():
    model = ebmlang.loads(
        "var x: real in [0, 1]\nvar y: real in [0, 1]\n"
        "require big: x * y - x^2 - y^2 >= 0.9 within 2\nminimize a: x"
    )

    found = model.solve(starts=4)

    assert found.status.value == "infeasible"
    assert found.designs == ()
    assert found.nearest.variables["x"] == pytest.approx(0, abs=1e-3)
    assert found.nearest.margins["big"] == pytest.approx(-0.45, abs=1e-3)


def test_an_energy_that_is_nowhere_finite_names_its_term():
    model = ebmlang.loads("var x: real in [-2, -1]\nminimize root: sqrt(x)")

    with pytest.raises(EbmError) as raised:
        model.solve(starts=4)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0707"
    assert diagnostic.primary.span.text == "sqrt(x)"
    assert "it is part of `root`" in diagnostic.notes


def test_the_interface_lists_what_goes_in_and_comes_out():
    interface = fit().interface()

    assert interface["sizes"] == ["N"]
    assert interface["inputs"] == [
        {"path": "y", "type": "real", "shape": ["N"], "required": True},
        {"path": "sigma", "type": "real", "shape": ["N"], "required": True},
        {"path": "k", "type": "real", "shape": [], "required": False, "default": "2"},
    ]
    assert interface["variables"] == [
        {"path": "mu", "domain": "real", "shape": [], "lower": "-100", "upper": "100"}
    ]
    assert [(t["path"], t["role"], t["sort"], t["weight"]) for t in interface["terms"]] == [
        ("fit", "prefer", "density", 1.0),
        ("pull", "prefer", "density", 0.5),
    ]
    assert interface["reports"] == [{"path": "doubled", "type": "real", "shape": []}]


def test_the_interface_shows_paths_inside_parts():
    model = ebmlang.loads(
        """
        spec leg(hip: real[2]) {
          given reach: real = 1
          var knee: real[2] in [-1, 1]
          require bend: norm(knee - hip) <= reach
          prefer low: knee[1] <= 0
        }
        part left = leg([0, 1]) weight 2
        """
    )

    interface = model.interface()

    assert [item["path"] for item in interface["variables"]] == ["left.knee"]
    assert [item["path"] for item in interface["inputs"]] == ["left.reach"]
    assert [item["path"] for item in interface["terms"]] == ["left.bend", "left.low"]
    assert interface["parts"] == [{"path": "left", "weight": 2.0}]


@pytest.mark.parametrize("stage", ["ast", "typed", "graph", "optimized", "code"])
def test_every_stage_has_a_printable_form(stage):
    text = fit().graph(stage, DATA)

    assert text.endswith("\n")
    assert "mu" in text


def test_formatting_keeps_the_meaning():
    assert fit().format() == FIT.lstrip()


def test_runs_beside_each_other_do_not_see_each_other_s_data():
    model = ebmlang.loads("given k: real\nvar x: real\nminimize e: (x - k)^2")

    def energies(k: int) -> list[float]:
        return [float(model.energy({"x": 0.0}, {"k": float(k)})) for _ in range(100)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(energies, [1, 2, 3]))
    finally:
        sys.setswitchinterval(interval)

    assert found == [[k * k] * 100 for k in (1.0, 2.0, 3.0)]


def test_a_search_differentiates_in_inference_mode_too():
    model = ebmlang.loads("var x: real in [-5, 5]\nminimize e: (x - 1)^2 + 0.5")

    with torch.inference_mode():
        designs = model.solve(starts=4)
        samples = model.sample(chains=4, draws=200, warmup=100)

    assert designs[0].energy == pytest.approx(0.5)
    assert samples.draws["x"].std() > 0.1


def test_constants_may_be_numbers_of_numpy_and_nothing_else():
    text = "const n = 3\nvar x: real[n]\nminimize e: sum(x^2)"

    variables = ebmlang.loads(text, constants={"n": np.int64(5)}).interface()["variables"]

    assert variables[0]["shape"] == [5]
    with pytest.raises(ebmlang.EbmError) as raised:
        ebmlang.loads(text, constants={"n": "5"})  # type: ignore[dict-item]
    assert raised.value.diagnostics[0].code == "E0903"


@pytest.mark.parametrize("width", [0.0, -1.0])
def test_a_tolerance_that_the_data_makes_useless_is_refused(width):
    model = ebmlang.loads("given s: real\nvar x: real\nprefer a: x <= 1 within s")

    assert float(model.energy({"x": 3.0}, {"s": 2.0})) == pytest.approx(0.5)
    with pytest.raises(EbmError) as raised:
        model.energy({"x": 3.0}, {"s": width})
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0704"
    assert diagnostic.primary.span.text == "given s: real"


def test_sampling_without_the_data_that_sizes_an_array_says_what_is_missing() -> None:
    """No sampler can be chosen then, which is no reason to break down."""
    model = ebmlang.loads("given y: real[N]\nvar x: real\nminimize e: sum((x - y)^2)")

    with pytest.raises(EbmError) as caught:
        model.sample()

    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["E0701"]
