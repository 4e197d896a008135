"""The machine code of a spec is its Lagrangian and its violation, and solves it as torch does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.lower.native import build
from ebmlang.runtime import UNLIMITED, SilentProgress, watch_interrupts
from ebmlang.solve.constraints import augmented_lagrangian
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.loop import Watch
from ebmlang.solve.native import building
from ebmlang.solve.native.building import Work, find_machines
from ebmlang.solve.objective import Lagrangian, Violation
from ebmlang.solve.problem import build_problem
from ebmlang.spaces import build_solving_chart

LARGE = Work(starts=10**6)
"""What pays for any compiler."""

PACK = """
const N = 3
var r: real in [0, 0.5]
var c: real[N, 2] in [0, 1]
require inside: r <= c <= 1 - r
require apart: forall a, b in pairs(c): norm(a - b) >= 2 * r
maximize size: r
"""

FIT = """
given t: real[4] = [0.0, 0.5, 1.0, 1.5]
given n: int = 2
var k: real in [0.1, 5]
var a: real in [-1, inf]
minimize e: sum(log(1 + (a * exp(-k * t) - n * t)^2))
require sum_small: a + k <= 3
"""

FREE = """
var x: real[5]
var y: real
minimize e: sum(x^4 / 4 - x^2) + (y - x[0])^2 + sin(y)
"""


def build_lagrangian(spec: str, count: int, dtype: torch.dtype) -> Lagrangian:
    """Return the Lagrangian of a spec with machine code, at random multipliers and penalties."""
    module = compile_model(ebmlang.loads(spec), dtype=dtype)
    target, layout = module.packed(), lay_out(module)
    chart = build_solving_chart(layout, dtype=dtype, device=torch.device("cpu"))
    machines = find_machines(target, chart, LARGE)
    assert machines is not None
    rng = torch.Generator().manual_seed(1)
    y = 2 * torch.rand(count, target.dim, dtype=dtype, generator=rng) - 1
    lagrangian = augmented_lagrangian.init(target, chart, y, None, machines).lagrangian
    shape = lagrangian.penalty.shape
    return replace(
        lagrangian,
        multipliers=torch.rand(shape, dtype=dtype, generator=rng).sub(0.5).clamp(min=0),
        penalty=torch.rand(shape, dtype=dtype, generator=rng) + 0.5,
        slack=torch.rand(shape, dtype=dtype, generator=rng) / 10,
    )


@pytest.mark.slow  # compiles
@pytest.mark.parametrize("spec", [PACK, FIT, FREE], ids=["pack", "fit", "free"])
def test_machine_code_has_the_value_and_slope_of_the_formula(spec: str) -> None:
    """The other side is the formula in torch, differentiated by autograd."""
    goal = build_lagrangian(spec, 37, torch.float64)
    rng = torch.Generator().manual_seed(2)
    y = 2 * torch.rand(37, goal.target.dim, dtype=torch.float64, generator=rng) - 1
    y[0] = 1.0
    y = goal.chart.retract(y)
    leaf = y.clone().requires_grad_()
    value = goal.value(goal.chart.to_written(leaf))
    (slope,) = torch.autograd.grad(value.sum(), leaf)

    found = goal.evaluate(y)

    torch.testing.assert_close(found.value, value.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.gradient, slope, rtol=1e-11, atol=1e-11)


@pytest.mark.slow  # compiles
def test_violation_is_half_the_squared_distance_below_the_aim() -> None:
    goal = build_lagrangian(PACK, 37, torch.float64)
    assert goal.machines is not None
    violation = Violation(
        target=goal.target,
        chart=goal.chart,
        scale=goal.scale,
        aim=goal.slack,
        machine=goal.machines.violation,
    )
    rng = torch.Generator().manual_seed(3)
    y = 2 * torch.rand(37, goal.target.dim, dtype=torch.float64, generator=rng) - 1
    margins = goal.target.requirements(goal.chart.to_written(y))
    expected = (goal.scale * (goal.slack - margins)).clamp(min=0).square().sum(1) / 2

    found = violation.evaluate(y)

    torch.testing.assert_close(found.value, expected, rtol=1e-12, atol=1e-12)
    kept = violation.take(torch.tensor([5, 0])).evaluate(y[[5, 0]])
    torch.testing.assert_close(kept.value, expected[[5, 0]], rtol=1e-12, atol=1e-12)


def _bring_down(spec: str, *, native: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(building, "BUILD_COST", 0.0 if native else torch.inf)
    module = compile_model(ebmlang.loads(spec))
    with watch_interrupts() as interrupt:
        watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
        problem = build_problem(module.packed(), lay_out(module), seed=0, watch=watch)
        rng = torch.Generator().manual_seed(4)
        y = 2 * torch.rand(24, module.dim, dtype=torch.float64, generator=rng) - 1
        end = bring_down(problem, y, Local(adam_steps=20, steps=400))
    x = problem.chart.to_written(end.position)
    return module.packed().energy(x), module.packed().requirements(x), end, watch.evaluations


@pytest.mark.slow  # compiles
def test_both_tiers_come_to_the_same_minima(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three circles have one optimum, 0.254333; all turns of multipliers go through the code."""
    with monkeypatch.context() as context:
        native, margins, end, _ = _bring_down(PACK, native=True, monkeypatch=context)
    with monkeypatch.context() as context:
        straight, *_ = _bring_down(PACK, native=False, monkeypatch=context)

    # Source: Packomania, E. Specht, circles in the unit square, N = 3.
    assert float(native.min()) == pytest.approx(-0.254333095, abs=1e-6)
    assert float(straight.min()) == pytest.approx(-0.254333095, abs=1e-6)
    assert bool((margins >= 0).all())
    near = np.isclose(native.numpy(), straight.numpy(), atol=1e-6)
    # A start near a ridge may go to either side.
    assert near.mean() >= 0.8
    assert bool(end.done.all())


@pytest.mark.slow  # compiles
def test_evaluations_are_counted_as_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        *_, native = _bring_down(FREE, native=True, monkeypatch=context)
    with monkeypatch.context() as context:
        *_, straight = _bring_down(FREE, native=False, monkeypatch=context)

    assert native == pytest.approx(straight, rel=0.05)


def test_little_work_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "build_library", None)
    module = compile_model(ebmlang.loads(FREE))
    chart = build_solving_chart(lay_out(module), dtype=torch.float64, device=torch.device("cpu"))

    assert find_machines(module.packed(), chart, Work(starts=8)) is None


def test_the_environment_can_ask_for_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBM_TIER", "straight")
    monkeypatch.setattr(building, "build_library", None)
    module = compile_model(ebmlang.loads(FREE))
    chart = build_solving_chart(lay_out(module), dtype=torch.float64, device=torch.device("cpu"))

    assert find_machines(module.packed(), chart, LARGE) is None


def test_without_a_compiler_torch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_compiler", lambda: None)
    module = compile_model(ebmlang.loads(FREE))
    chart = build_solving_chart(lay_out(module), dtype=torch.float64, device=torch.device("cpu"))

    assert find_machines(module.packed(), chart, LARGE) is None


def test_spheres_have_no_machine_code() -> None:
    module = compile_model(ebmlang.loads("var u: unit[3]\nminimize e: u[0]"))
    chart = build_solving_chart(lay_out(module), dtype=torch.float64, device=torch.device("cpu"))

    assert find_machines(module.packed(), chart, LARGE) is None


def test_data_bound_anew_is_not_read_by_an_older_energy() -> None:
    """The arrays of machine code are those that its energy was packed with."""
    module = compile_model(
        ebmlang.loads("given m: real[40] = 1\nvar x: real\nminimize e: sum((x - m)^4)")
    )
    chart = build_solving_chart(lay_out(module), dtype=torch.float64, device=torch.device("cpu"))
    before = module.packed()
    module.bind({"m": np.full(40, 2.0)})

    assert find_machines(before, chart, LARGE) is None
