"""The no-U-turn kernel: its tree against a recursion, and what it says of a step."""

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.density import Density, TargetDensity
from ebmlang.sample.kernels import nuts
from ebmlang.sample.kernels.combine import on_block
from ebmlang.sample.kernels.nuts import Nuts
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.state import ChainState, Info, begin
from ebmlang.spaces import build_sampling_chart
from tests.runtime.function_target import CPU, FunctionTarget, layout_of
from tests.sample.table.walk import streams_of

CHAINS = 200


def has_turned(momenta: Tensor) -> bool:
    """Whether a tree, or any tree inside of it, has turned; in words, from the definition."""

    def turns(part: Tensor) -> bool:
        way = part.sum(0) - (part[0] + part[-1]) / 2
        return bool(part[0] @ way <= 0) or bool(part[-1] @ way <= 0)

    half = len(momenta) // 2
    if half == 0:
        return False
    left, right = momenta[:half], momenta[half:]
    if has_turned(left) or has_turned(right):
        return True
    return turns(momenta) or turns(momenta[: half + 1]) or turns(momenta[half - 1 :])


@pytest.mark.parametrize("leaves", [1, 2, 4, 8, 16])
def test_the_loop_finds_the_turns_that_a_recursion_finds(leaves: int) -> None:
    rng = torch.Generator().manual_seed(leaves)
    # Momenta that drift: some of the trees turn and some do not, at every size.
    steps = torch.randn(400, leaves, 3, dtype=torch.float64, generator=rng)
    first = torch.randn(400, 1, 3, dtype=torch.float64, generator=rng)
    momenta = 1.5 * first + 0.8 * steps.cumsum(1)
    marks: dict[int, nuts._Mark] = {}
    turned, total = torch.zeros(400, dtype=torch.bool), torch.zeros(400, 3).double()

    before = torch.zeros_like(total)
    for n in range(leaves):
        total = total + momenta[:, n]
        turned |= nuts._close_subtrees(marks, n, before, momenta[:, n], total)
        before = momenta[:, n]

    expected = torch.tensor([has_turned(row) for row in momenta])
    assert torch.equal(turned, expected)
    assert leaves == 1 or 0 < int(expected.sum()) < 400


def prepare(
    scales: list[float], energy=None, requirements=None, position: Tensor | None = None
) -> tuple[Density, ChainState]:
    sd = torch.tensor(scales, dtype=torch.float64)
    layout = layout_of(DomainKind.REAL, len(scales))
    options = {} if requirements is None else {"requirements": requirements}
    target = FunctionTarget(
        dim=len(scales),
        energy=energy or (lambda x: (x / sd).square().sum(1) / 2),
        **options,
    )
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    density = TargetDensity(target=target, chart=chart)
    noise = streams_of(CHAINS).at(0)
    place = sd * noise.normal("place", len(scales)) if position is None else position
    return density, begin(density, place, noise)


def take_step(
    density: Density, state: ChainState, step_size: float, doublings: int = 10
) -> tuple[ChainState, Info]:
    kernel = Nuts(
        step_size=torch.tensor(step_size, dtype=torch.float64),
        metric=Diagonal(scale=torch.ones_like(state.position[:1])),
        most_doublings=doublings,
    )
    return kernel.step(density, state, streams_of(CHAINS).at(1))


def test_a_trajectory_ends_after_about_half_an_orbit() -> None:
    """An orbit of a standard normal takes 2 pi: at steps of 0.1 half of it is 31 of them."""
    density, state = prepare([1.0] * 10)

    _, info = take_step(density, state, 0.1)

    assert set(info.gradients.tolist()) <= {15, 31, 63}
    assert bool((info.acceptance > 0.98).all())


def test_a_trajectory_that_never_turns_ends_after_the_most_doublings() -> None:
    density, state = prepare([1e6])

    _, info = take_step(density, state, 0.01, doublings=4)

    assert bool((info.gradients == 15).all())


def test_a_step_that_is_far_too_long_diverges_and_stays() -> None:
    density, state = prepare([1e-3])

    following, info = take_step(density, state, 10.0)

    assert bool(info.diverged.all())
    assert not bool(info.accepted.any())
    assert torch.equal(following.position, state.position)
    assert bool((info.gradients == 1).all())


def test_a_point_that_violates_a_requirement_is_never_chosen() -> None:
    """The trajectory goes on past it, so that chains reach the other side of a gap."""
    density, state = prepare(
        [1.0],
        requirements=lambda x: x.abs() - 0.2,
        position=torch.full((CHAINS, 1), 0.3, dtype=torch.float64),
    )

    following, info = take_step(density, state, 0.2)

    assert bool((following.position.abs() >= 0.2).all())
    assert bool((following.position < 0).any())
    assert bool((info.acceptance < info.faithful).any())


def test_a_step_out_of_everything_required_is_counted_as_such() -> None:
    density, state = prepare(
        [1.0],
        requirements=lambda x: 1e-6 - x.abs(),
        position=torch.zeros(CHAINS, 1, dtype=torch.float64),
    )

    following, info = take_step(density, state, 0.2)

    assert bool(info.infeasible.all())
    assert not bool(info.accepted.any())
    assert torch.equal(following.position, state.position)


def test_coordinates_outside_of_a_block_stay_bit_for_bit() -> None:
    density, state = prepare([1.0, 2.0, 3.0])
    mask = torch.tensor([True, False, True])
    kernel = Nuts(
        step_size=torch.tensor(0.4, dtype=torch.float64),
        metric=Diagonal(scale=torch.ones(1, 3, dtype=torch.float64)),
    )

    following, info = on_block(kernel, mask).step(density, state, streams_of(CHAINS).at(1))

    assert torch.equal(following.position[:, 1], state.position[:, 1])
    assert bool((following.position[:, [0, 2]] != state.position[:, [0, 2]]).all(1).any())
    # A coordinate that is held still must not keep trajectories from turning.
    assert int(info.gradients.max()) < 64


def test_the_total_energy_is_that_of_the_start_with_its_momentum() -> None:
    """Twice it, less twice the potential, is chi-square of as many degrees as coordinates."""
    density, state = prepare([1.0] * 4)

    _, info = take_step(density, state, 0.2)

    kinetic = info.hamiltonian - state.evaluation.energy
    assert bool((kinetic > 0).all())
    error = (2 * 4 / CHAINS) ** 0.5
    assert float((2 * kinetic).mean()) == pytest.approx(4, abs=4 * error)
