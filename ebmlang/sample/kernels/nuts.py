"""The no-U-turn sampler over a batch of chains: it finds the length of a trajectory by itself.

A trajectory doubles, forwards or backwards in time at random, until its ends begin to approach
each other, and the next point is picked among all of its points by weight. The doubling is a
loop, not a recursion: every chain takes leaf `n` of doubling `k` at the same moment, and a chain
that is done waits. Which earlier points a leaf closes a subtree with follows from the bits of
`n`, so that as few points are remembered as the subtree is deep.

On manifolds the sum of the momenta is taken in the space around them. That is still a rule about
a set of points, the same from each of them, which is all that exactness asks for; along a great
circle it says stop after half of it.

A point that violates a requirement has weight zero, and the trajectory goes on past it. A point
that is not finite, or far from the flow, ends the trajectory and its last doubling is void.

Sources: Hoffman and Gelman, The No-U-Turn Sampler (2014), algorithm 3; Betancourt, A Conceptual
Introduction to Hamiltonian Monte Carlo (2017), appendix A, for the weights, the biased choice
between halves and the criterion; Phan, Pradhan and Jankowiak, Composable Effects for Flexible
and Accelerated Probabilistic Programming (2019), appendix A, for the loop.
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.integrator import (
    DIVERGENCE,
    add_kinetic,
    faithfulness,
    find_gain,
    find_speed,
    leapfrog,
)
from ebmlang.sample.metric import Metric, trim
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise

MOST_DOUBLINGS = 10
"""Most doublings of one trajectory, as in Stan: 1023 steps bound the cost of an iteration."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nuts:
    """The no-U-turn kernel: multinomial, with the generalised criterion and Stan's extra checks.

    Attributes:
        step_size: Of the leapfrog steps; of all chains, or of each.
        metric: Of the momenta. Those that move nothing have no say.
        most_doublings: Of one trajectory.
    """

    step_size: Float[Tensor, "*chain"]
    metric: Metric
    most_doublings: int = MOST_DOUBLINGS

    def move(self) -> Move:
        """Return the step as data."""
        return Move(
            rule=Rule.NO_U_TURN,
            step_size=self.step_size,
            metric=self.metric,
            most_steps=self.most_doublings,
        )

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Follow the flow until it turns, and pick a point on the way."""
        position = state.position
        normal = noise.normal("momentum", position.shape[1])
        # A momentum that moves nothing would add to every sum of momenta, and never turn.
        momentum = trim(self.metric, density.chart.tangent(position, normal))
        start = replace(state, momentum=momentum)
        sizes = self.step_size.reshape(-1, 1).to(position.dtype)
        directions = noise.uniform("direction", self.most_doublings) < 0.5
        swaps = noise.uniform("swap", self.most_doublings).log()
        backward = forward = start
        tree = _single(start)
        tally = _begin(start)
        for doubling in range(self.most_doublings):
            # How often to double depends on the energy: one look per doubling, and per leaf.
            if not bool(tally.growing.any()):
                break
            ahead = directions[:, doubling]
            step_size = torch.where(ahead[:, None], sizes, -sizes)
            near = choose(ahead, forward, backward)
            far = choose(ahead, backward, forward)
            uniform = noise.fork(f"doubling {doubling}").uniform("leaf", 2**doubling)
            grown, tally = self._grow(density, start, near, step_size, uniform, tally)
            growing = tally.growing
            forward = choose(growing & ahead, grown.last, forward)
            backward = choose(growing & ~ahead, grown.last, backward)
            turning = (
                _is_turning(far.momentum, grown.last.momentum, tree.total + grown.total)
                | _is_turning(far.momentum, grown.first, tree.total + grown.first)
                | _is_turning(near.momentum, grown.last.momentum, grown.total + near.momentum)
            )
            swapped = growing & (swaps[:, doubling] < grown.log_weight - tree.log_weight)
            tree = replace(
                tree,
                total=tree.total + grown.total,
                chosen=choose(swapped, grown.chosen, tree.chosen),
                log_weight=torch.logaddexp(tree.log_weight, grown.log_weight),
            )
            tally = replace(tally, moved=tally.moved | swapped, growing=growing & ~turning)
        hamiltonian = add_kinetic(density.potential(start.evaluation), find_speed(momentum))
        return replace(tree.chosen, momentum=state.momentum), tally.show(hamiltonian)

    def _grow(
        self,
        density: Density,
        start: ChainState,
        leaf: ChainState,
        step_size: Float[Tensor, "chain 1"],
        uniform: Float[Tensor, "chain leaf"],
        tally: "_Tally",
    ) -> tuple["_Branch", "_Tally"]:
        """Walk on from one end for as many steps as there are uniform numbers.

        Returns:
            The branch, of meaning for chains that are still growing.
        """
        logs, started = uniform.log(), find_speed(start.momentum)
        marks: dict[int, _Mark] = {}
        branch: _Branch | None = None
        for n in range(uniform.shape[1]):
            if not bool(tally.growing.any()):
                break
            before = leaf.momentum
            position, momentum, evaluation = leapfrog(
                density, leaf.position, leaf.momentum, leaf.evaluation, step_size, self.metric, 1
            )
            moved = replace(leaf, position=position, momentum=momentum, evaluation=evaluation)
            leaf = choose(tally.growing, moved, leaf)
            speeds = (started, find_speed(leaf.momentum))
            rise = find_gain(density, start.evaluation, leaf.evaluation, speeds, leaf.position)
            feasible = density.is_feasible(leaf.evaluation)
            tally = tally.add(faithfulness(rise), feasible, ~(rise <= DIVERGENCE))
            log_weight = torch.where(feasible & ~rise.isnan(), -rise, -torch.inf)
            if branch is None:
                branch = _Branch(
                    first=leaf.momentum,
                    last=leaf,
                    total=leaf.momentum,
                    chosen=leaf,
                    log_weight=log_weight,
                )
            else:
                together = torch.logaddexp(branch.log_weight, log_weight)
                picked = logs[:, n] < log_weight - together
                branch = replace(
                    branch,
                    last=leaf,
                    total=branch.total + leaf.momentum,
                    chosen=choose(picked, leaf, branch.chosen),
                    log_weight=together,
                )
            turning = _close_subtrees(marks, n, before, leaf.momentum, branch.total)
            tally = replace(tally, growing=tally.growing & ~turning)
        if branch is None:
            return _single(leaf), tally
        return branch, tally


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Branch:
    """Consecutive points of a trajectory, in the order in which they were reached.

    Attributes:
        first: The momentum at the first point.
        last: The last point.
        total: The sum of the momenta.
        chosen: One of the points, picked by weight.
        log_weight: The log of the sum of the weights, relative to the start's.
    """

    first: Float[Tensor, "chain dim"]
    last: ChainState
    total: Float[Tensor, "chain dim"]
    chosen: ChainState
    log_weight: Float[Tensor, " chain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mark:
    """The first point of an open subtree.

    Attributes:
        before: The momentum at the point before it.
        first: The momentum at it.
        total: The sum of the branch's momenta up to it.
    """

    before: Float[Tensor, "chain dim"]
    first: Float[Tensor, "chain dim"]
    total: Float[Tensor, "chain dim"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tally:
    """What has come of a trajectory, per chain.

    Attributes:
        growing: Whether it goes on.
        moved: Whether a point other than the start is chosen.
        diverged: Whether a point was not finite or far off.
        allowed: Whether any new point satisfied everything required.
        faithful: Sum over its points of the acceptance, apart from what is required.
        acceptance: The same, zero where something required is violated.
        count: Its points.
    """

    growing: Bool[Tensor, " chain"]
    moved: Bool[Tensor, " chain"]
    diverged: Bool[Tensor, " chain"]
    allowed: Bool[Tensor, " chain"]
    faithful: Float[Tensor, " chain"]
    acceptance: Float[Tensor, " chain"]
    count: Int[Tensor, " chain"]

    def add(
        self,
        faithful: Float[Tensor, " chain"],
        feasible: Bool[Tensor, " chain"],
        far_off: Bool[Tensor, " chain"],
    ) -> "_Tally":
        """Count one more point of the chains that grow, and end those that diverge at it."""
        faithful = torch.where(self.growing, faithful, 0)
        return replace(
            self,
            growing=self.growing & ~far_off,
            diverged=self.diverged | (self.growing & far_off),
            allowed=self.allowed | (self.growing & feasible),
            faithful=self.faithful + faithful,
            acceptance=self.acceptance + torch.where(feasible, faithful, 0),
            count=self.count + self.growing,
        )

    def show(self, hamiltonian: Float[Tensor, " chain"]) -> Info:
        """Return what people read of it."""
        return Info(
            acceptance=self.acceptance / self.count,
            faithful=self.faithful / self.count,
            accepted=self.moved,
            diverged=self.diverged,
            infeasible=~self.allowed & ~self.diverged,
            gradients=self.count,
            hamiltonian=hamiltonian,
        )


def _begin(start: ChainState) -> _Tally:
    zeros = torch.zeros_like(start.level, dtype=torch.float64)
    none = zeros.bool()
    return _Tally(
        growing=~none,
        moved=none,
        diverged=none,
        allowed=none,
        faithful=zeros,
        acceptance=zeros,
        count=zeros.long(),
    )


def _single(start: ChainState) -> _Branch:
    return _Branch(
        first=start.momentum,
        last=start,
        total=start.momentum,
        chosen=start,
        log_weight=torch.zeros_like(start.level, dtype=torch.float64),
    )


def _close_subtrees(
    marks: dict[int, _Mark],
    n: int,
    before: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    total: Float[Tensor, "chain dim"],
) -> Bool[Tensor, " chain"]:
    """Whether any of the subtrees that end at leaf `n` of a branch has turned.

    An even leaf opens subtrees and ends none. Of the subtrees that end at an odd one each begins
    where the second half of the one around it does, so the mark of the next is the middle of this.

    Args:
        marks: The first points of the subtrees that are open, by place; kept up here.
        n: The number of the leaf, from 0.
        before: The momentum at the leaf before it.
        momentum: The momentum at the leaf.
        total: The sum of the branch's momenta up to it.
    """
    turning = torch.zeros_like(momentum[:, 0], dtype=torch.bool)
    # The number of ones in n // 2 is how many subtrees were open before.
    place = (n // 2).bit_count()
    if n % 2 == 0:
        marks[place] = _Mark(before=before, first=momentum, total=total)
        return turning
    # As many subtrees end at leaf n as its number ends in ones.
    ending = (n ^ (n + 1)).bit_length() - 1
    opened = [marks[i] for i in range(place - ending + 1, place + 1)]
    for mark, middle in zip(opened, [*opened[1:], None], strict=True):
        offset = mark.first - mark.total
        turning = turning | _is_turning(mark.first, momentum, total + offset)
        if middle is not None:
            second = total - middle.total + middle.first
            turning = (
                turning
                | _is_turning(mark.first, middle.first, middle.total + offset)
                | _is_turning(middle.before, momentum, second + middle.before)
            )
    return turning


def _is_turning(
    first: Float[Tensor, "chain dim"],
    last: Float[Tensor, "chain dim"],
    total: Float[Tensor, "chain dim"],
) -> Bool[Tensor, " chain"]:
    """Whether going on at either end would bring the ends nearer to each other.

    In whitened momenta the velocity times the sum of momenta, `p# . rho`, is `z . sum z`. The ends
    count half in the sum, which makes it the trapezoid rule for the way from end to end: with
    steps of more than a quarter of an orbit, as fast chains on manifolds take, the full ends
    outweigh all between them, and no trajectory would turn.

    Source: Betancourt (2017), appendix A.4.2, for `p# . rho`; Stan, pull request 2800, for the
    checks across the seam of two halves; NumPyro, `_is_turning`, for the halves.
    """
    way = total - (first + last) / 2
    return ((first * way).sum(1) <= 0) | ((last * way).sum(1) <= 0)
