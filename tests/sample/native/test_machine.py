"""Loops in machine code do what the kernels do in torch."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.lower.native.build import build_library, find_compiler
from ebmlang.sample import Plan, sample
from ebmlang.sample.collector import new_record
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.kernels import AdjustedLangevin, Generalized, Hmc, Nuts, UnadjustedLangevin
from ebmlang.sample.kernels.warped import Warped
from ebmlang.sample.methods import METHODS
from ebmlang.sample.metric import Dense, Diagonal, LowRank
from ebmlang.sample.native import Machine, build_machine, loops
from ebmlang.sample.state import begin
from ebmlang.sample.streams import Streams
from ebmlang.sample.warp import Warp
from ebmlang.spaces import ConcreteDomain, build_layout, build_sampling_chart
from tests.sample.native.text_target import CPU, Quadratic

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

CHAINS, DIM, ITERATIONS = 21, 5, 50
"""More chains than two blocks of float64 have lanes, and not a multiple of them."""

ROUND_OFF = 1e-9
"""Two ways to add up differ by some 1e-16 a step; a flow through a convex valley of curvature 1 to
3 makes it grow by less than a factor of 2 in each of some 50 accepted trajectories that forget
where they began; what is left is far below."""


def real(size, lower=None, upper=None):
    bounds = [None if side is None else np.full(size, side) for side in (lower, upper)]
    return ConcreteDomain(kind=DomainKind.REAL, shape=(size,), lower=bounds[0], upper=bounds[1])


def shaped(kind, size):
    return ConcreteDomain(kind=kind, shape=(size,), lower=None, upper=None)


LAYOUTS = {
    "free": {"x": real(DIM)},
    "boxes": {
        "a": real(1, lower=-1.0),
        "b": real(1),
        "c": real(1, upper=2.0),
        "d": real(2, lower=-2.0, upper=1.5),
    },
    "fixed": {"a": real(1, lower=0.5, upper=0.5), "b": real(4)},
    "ordered": {"a": real(1, lower=0.0), "b": shaped(DomainKind.ORDERED, 4)},
    "simplex": {"a": shaped(DomainKind.SIMPLEX, 3), "b": real(2)},
}


def make_target(dtype=torch.float64, floor=None):
    rng = torch.Generator().manual_seed(5)
    root = torch.randn(DIM, DIM, generator=rng, dtype=torch.float64) / 3
    precision = torch.eye(DIM, dtype=torch.float64) + root @ root.T
    slope = torch.randn(DIM, generator=rng, dtype=torch.float64)
    return Quadratic(precision=precision.to(dtype), slope=slope.to(dtype), floor=floor)


def make(layout="free", dtype=torch.float64, floor=None, chains=CHAINS, turns=False):
    target = make_target(dtype, floor)
    laid = build_layout(LAYOUTS[layout])
    chart = build_sampling_chart(laid, dtype=dtype, device=CPU)
    density = TargetDensity(target=target, chart=chart)
    machine = build_machine(target, chart, turns=turns)
    assert isinstance(machine, Machine), machine
    streams = Streams(seed=4, chains=torch.arange(chains), dtype=dtype)
    position = 0.5 * streams.at(0).normal("start", chart.dim)
    return density, machine, streams, begin(density, position, streams.at(0))


def numbers(*shape):
    rng = torch.Generator().manual_seed(8)
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def metrics(dim):
    scale = 0.7 + 0.2 * numbers(3, dim).sigmoid()
    directions = torch.linalg.qr(numbers(2, dim, 2))[0]
    return {
        "diagonal": Diagonal(scale=scale),
        "dense": Dense(factor=torch.eye(dim).double() + 0.1 * numbers(2, dim, dim)),
        "low rank": LowRank(
            scale=scale[:2], directions=directions, stretch=1 + 0.3 * numbers(2, 2).sigmoid()
        ),
    }


def warp_of(dim):
    """Return a map of two groups by which the first two coordinates drive the others."""
    drives = torch.zeros(dim, dim, dtype=torch.float64)
    drives[2:, :2] = 1.0
    return Warp(
        center=numbers(2, dim) / 5,
        scale=0.8 + 0.2 * numbers(2, dim).sigmoid(),
        mean=numbers(2, dim) / 5,
        mean_linear=numbers(2, dim, dim) / 5 * drives,
        mean_square=numbers(2, dim, dim) / 20 * drives,
        log_scale=numbers(2, dim) / 10 * drives.any(1),
        log_scale_linear=numbers(2, dim, dim) / 10 * drives,
    )


def kernels(dim, chains=CHAINS):
    each = 0.2 + 0.1 * torch.arange(chains).double() / chains
    half = torch.tensor(0.25, dtype=torch.float64)
    diagonal = metrics(dim)["diagonal"]
    built = {
        f"hmc, {name}": Hmc(step_size=half, metric=metric, most_steps=6)
        for name, metric in metrics(dim).items()
    }
    warped = {
        f"{name} warped": Warped(kernel=built[f"hmc, {name}"], warp=warp_of(dim))
        for name in ("diagonal", "dense")
    }
    persistent = {"metric": diagonal, "renewal": each, "drift": each / 2}
    held = torch.arange(dim) != 1
    turning = {
        **metrics(dim),
        **{f"{name} held": metric.masked(held) for name, metric in metrics(dim).items()},
    }
    return {
        **built,
        **warped,
        **{
            f"no-U-turn, {name}": Nuts(step_size=each, metric=metric, most_doublings=6)
            for name, metric in turning.items()
        },
        "adjusted": AdjustedLangevin(step_size=3 * each, metric=diagonal),
        "unadjusted": UnadjustedLangevin(step_size=each, metric=diagonal),
        "generalized": Generalized(step_size=(2 * half).expand(chains), count=2, **persistent),
        "generalized, warped": Warped(
            kernel=Generalized(step_size=half.expand(chains), **persistent), warp=warp_of(dim)
        ),
    }


def same(a, b, tolerance=ROUND_OFF):
    for field in fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if one is None or isinstance(one, torch.Tensor):
            torch.testing.assert_close(
                one, other, rtol=tolerance, atol=tolerance, equal_nan=True, msg=field.name
            )
        else:
            same(one, other, tolerance)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name.startswith("no-U-turn") else ())
        for name in kernels(DIM)
    ],
)
def test_many_iterations_are_those_of_the_kernel(name):
    density, machine, streams, state = make(floor=-1.0)
    kernel = kernels(DIM)[name]
    record = new_record(state, ITERATIONS)
    moved, _ = machine.fly(
        kernel.move(), state, streams.at(1), record, 0, draws=ITERATIONS, most_noted=8
    )

    infos = []
    for iteration in range(1, ITERATIONS + 1):
        state, info = kernel.step(density, state, streams.at(iteration))
        infos.append(info)

    same(moved, state)
    for draw, info in enumerate(infos):
        assert torch.equal(record.moved[:, draw] > 0, info.accepted)
        assert torch.equal(record.infeasible[:, draw], info.infeasible.long())
        assert torch.equal(record.gradients[:, draw], info.gradients)
        for one, other in (
            (record.acceptance[:, draw], info.acceptance),
            (record.hamiltonian[:, draw], info.hamiltonian),
        ):
            torch.testing.assert_close(one, other, rtol=ROUND_OFF, atol=ROUND_OFF, equal_nan=True)
    torch.testing.assert_close(record.points[:, -1], state.evaluation.point)
    torch.testing.assert_close(record.energies[:, -1], state.evaluation.energy)
    # The case is a case: some are accepted, some rejected, some for the wall.
    share = record.moved.mean()
    assert 0.2 < share < 1.0
    assert record.infeasible.sum() > 0


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_every_chart_is_that_of_torch(layout):
    density, machine, streams, state = make(layout)
    kernel = kernels(density.chart.dim)["hmc, diagonal"]

    for iteration in range(1, 11):
        expected, _ = kernel.step(density, state, streams.at(iteration))
        state, info = machine.step(kernel.move(), state, streams.at(iteration))
        same(state, expected)
        assert info.accepted.any()


@pytest.mark.parametrize(
    "name", ["hmc, dense", "generalized, warped", "unadjusted", "no-U-turn, dense"]
)
def test_one_step_says_what_the_kernel_says(name):
    density, machine, streams, state = make("boxes", floor=-0.5)
    kernel = kernels(density.chart.dim)[name]

    following, info = machine.step(kernel.move(), state, streams.at(3))
    expected, expected_info = kernel.step(density, state, streams.at(3))

    same(following, expected)
    same(info, expected_info)


@pytest.mark.parametrize("layout", ["free", "boxes"])
@pytest.mark.parametrize("bad", [None, torch.nan])
@pytest.mark.parametrize("name", ["diagonal", "dense", "dense held", "low rank"])
def test_loops_whose_trajectories_turn_take_single_steps_as_well(layout, bad, name):
    """By such steps chains settle, and a first step size is found: a run builds no other loops."""
    density, machine, streams, state = make(layout, floor=-0.5, turns=True)
    dim = density.chart.dim
    metric = metrics(dim)[name.removesuffix(" held")]
    steps = 0.5 + 0.5 * torch.arange(CHAINS).double() / CHAINS
    if bad is not None:
        steps[3] = bad
    kernel = Hmc(
        step_size=steps,
        metric=metric.masked(torch.arange(dim) != 1) if name.endswith("held") else metric,
        most_steps=1,
    )

    accepted, infeasible = 0, 0
    for iteration in range(1, 11):
        expected, expected_info = kernel.step(density, state, streams.at(iteration))
        state, info = machine.step(kernel.move(), state, streams.at(iteration))
        same(state, expected)
        same(info, expected_info)
        accepted += int(info.accepted.sum())
        infeasible += int(info.infeasible.sum())

    assert 0 < accepted < 10 * CHAINS
    assert infeasible > 0


@pytest.mark.parametrize("name", ["nuts", "hmc"])
def test_a_run_builds_no_loops_that_it_does_not_need(name, monkeypatch):
    built = []
    monkeypatch.setattr(
        loops, "build_library", lambda *call: built.append(call) or build_library(*call)
    )
    loops.load_loop.cache_clear()

    monkeypatch.setenv("EBM_TIER", "native")
    sample(
        make_target(),
        build_layout(LAYOUTS["boxes"]),
        METHODS[name](),
        chains=4,
        plan=Plan(warmup=60, draws=5),
    )

    assert len({call[0] for call in built}) == 1


def test_calls_of_any_length_and_number_of_threads_give_the_same_bits():
    _, machine, streams, state = make(chains=200)
    move = kernels(DIM, 200)["hmc, diagonal"].move()
    whole, parts = new_record(state, 12), new_record(state, 12)

    once, _ = machine.fly(move, state, streams.at(1), whole, 0, draws=12)
    for start, count in ((0, 1), (1, 4), (5, 7)):
        state, _ = machine.fly(
            move, state, streams.at(1 + start), parts, start, draws=count, threads=3
        )

    same(parts, whole, 0.0)
    same(state, once, 0.0)


def test_what_lies_between_the_draws_is_summed_up():
    _, machine, streams, state = make(floor=-1.0)
    move = kernels(DIM)["adjusted"].move()
    every, third = new_record(state, 12), new_record(state, 4)

    machine.fly(move, state, streams.at(1), every, 0, draws=12)
    machine.fly(move, state, streams.at(1), third, 0, draws=4, thin=3)

    def folded(values):
        return values.view(CHAINS, 4, 3)

    assert torch.equal(third.points, every.points[:, 2::3])
    assert torch.equal(third.hamiltonian, every.hamiltonian[:, 2::3])
    assert torch.equal(third.infeasible, folded(every.infeasible).sum(2))
    assert torch.equal(third.gradients, folded(every.gradients).sum(2))
    torch.testing.assert_close(third.acceptance, folded(every.acceptance).mean(2))
    torch.testing.assert_close(third.moved, folded(every.moved).mean(2))


def test_where_chains_diverge_is_told_in_the_order_of_iterations_and_chains():
    density, machine, streams, state = make()
    # So long a step that every trajectory leaves the flow.
    kernel = AdjustedLangevin(
        step_size=torch.tensor(30.0).double(), metric=metrics(DIM)["diagonal"]
    )
    record = new_record(state, 3)

    _, points = machine.fly(
        kernel.move(), state, streams.at(1), record, 0, draws=3, most_noted=8, threads=2
    )

    diverged = kernel.step(density, state, streams.at(1))[1].diverged
    assert torch.equal(record.diverged[:, 0].bool(), diverged)
    assert len(points) == 8
    assert torch.equal(points, state.evaluation.point[diverged][:8])


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e300])
def test_what_is_not_finite_is_rejected_and_counted(bad):
    density, machine, streams, state = make()
    steps = torch.full((CHAINS,), 0.3, dtype=torch.float64)
    steps[4] = bad
    kernel = AdjustedLangevin(step_size=steps, metric=metrics(DIM)["diagonal"])

    following, info = machine.step(kernel.move(), state, streams.at(1))
    expected, expected_info = kernel.step(density, state, streams.at(1))

    same(following, expected)
    same(info, expected_info)
    assert info.diverged.tolist() == [chain == 4 for chain in range(CHAINS)]
    assert torch.equal(following.position[4], state.position[4])


def test_in_float32_a_step_is_that_of_torch_to_its_precision():
    density, machine, streams, state = make(dtype=torch.float32)
    kernel = Hmc(
        step_size=torch.tensor(0.25),
        metric=Diagonal(scale=metrics(DIM)["diagonal"].scale.float()),
        most_steps=6,
    )

    following, info = machine.step(kernel.move(), state, streams.at(1))
    expected, expected_info = kernel.step(density, state, streams.at(1))

    # Some hundred roundings of 6e-8 each, of numbers near 1.
    same(following, expected, 1e-5)
    same(info, expected_info, 1e-4)
