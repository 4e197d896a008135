"""Branches side by side: a sum of densities drawn part by part, in proportion to their masses.

    exp(-E) = sum_i exp(-E_i)        mass_i = integral of exp(-E_i) over the sum of these

Every branch has chains and a warm-up of its own, so nothing ever has to cross between branches.
Each iteration moves the chains of one branch, and each chain draws from where it is in the branch
whose turn it is for this chain. Turns follow a sequence that fills the unit interval evenly over
iterations and over chains, begun at a place that the seed decides: after n iterations the share of
a branch is off by no more than about log(n) / n in each chain, and by less in all together, far
less than that of branches drawn at random. The branch that moves is the one whose turn it is for
the first chain.

Source: Kuipers and Niederreiter, Uniform distribution of sequences (1974), chapter 2, section 3,
for the discrepancy of multiples of the golden ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import Target, derive_seed
from ebmlang.sample.density import Density, TargetDensity
from ebmlang.sample.native import compile_density
from ebmlang.sample.sampler import Phase, Sampler, Setting
from ebmlang.sample.settling import settle
from ebmlang.sample.starts import spread_starts
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise, Streams
from ebmlang.spaces import Layout

GOLDEN = (math.sqrt(5) - 1) / 2
"""Its multiples are spread more evenly than those of any other number."""

SILVER = math.sqrt(2) - 1
"""How far the turns of neighboring chains lie apart: next best, and no multiple of the first."""

MOST_WARMED = 8
"""Branches that one iteration of the warm-up moves at most; more take turns, so that the whole
takes no longer than that of so many."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One branch.

    Attributes:
        name: What people call it.
        target: Its energy.
        sampler: What moves its chains; Any: its state is its own.
        mass: Its share of the whole, in (0, 1).
        in_machine_code: Whether its chains are worth a compiler.
    """

    name: str
    target: Target
    sampler: Sampler[Any]
    mass: float
    in_machine_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BranchedState:
    """Where the chains of all branches are.

    Attributes:
        parts: The state of each branch's sampler; Any: each has its own.
        chains: Where each chain is in the branch whose turn it is, with the energy of the whole.
    """

    parts: tuple[Any, ...]
    chains: ChainState


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branched:
    """The sampler of a sum of densities.

    Attributes:
        parts: The branches; their masses sum to one.
        layout: Where points live.
    """

    parts: tuple[Part, ...]
    layout: Layout
    _densities: dict[int, Density] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "branches"

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> BranchedState:
        """Begin each branch at the positions, as far as its density is not zero there."""
        states = []
        for number in range(len(self.parts)):
            inner = self._setting(setting, number)
            # The chains of two branches do not begin with the same momenta.
            seed = derive_seed(setting.streams.seed, f"branch {number}")
            streams = setting.streams
            own = Streams(seed=seed, chains=streams.chains, dtype=streams.dtype)
            inner = replace(inner, streams=own)
            begun, _ = settle(inner, _find_starts(inner, position, self.layout))
            states.append(self.parts[number].sampler.init(inner, begun))
        return self._state(setting, tuple(states), 0)[0]

    def adapt(
        self, setting: Setting, state: BranchedState, noise: Noise, at: Phase
    ) -> tuple[BranchedState, Info]:
        """Move and adapt all branches, or those whose turn it is."""
        turns = -(-len(self.parts) // MOST_WARMED)  # the next whole number
        parts, infos = list(state.parts), []
        for number, part in enumerate(self.parts):
            phase = _find_phase(at, number % turns, turns)
            if phase is not None:
                inner = self._setting(setting, number)
                fork = noise.fork(f"place {number // turns}")
                parts[number], info = part.sampler.adapt(inner, parts[number], fork, phase)
                infos.append(info)
        if not infos:
            return state, _rest(state.chains)
        gradients = torch.stack([info.gradients for info in infos]).sum(0)
        moved, _ = self._state(setting, tuple(parts), noise.iteration)
        return moved, replace(infos[-1], gradients=gradients)

    def freeze(self, state: BranchedState) -> BranchedState:
        """Freeze every branch."""
        frozen = (
            part.sampler.freeze(inner) for part, inner in zip(self.parts, state.parts, strict=True)
        )
        return replace(state, parts=tuple(frozen))

    def step(
        self, setting: Setting, state: BranchedState, noise: Noise
    ) -> tuple[BranchedState, Info]:
        """Move the chains of one branch, and let each chain draw from the branch of its turn."""
        number = int(choose_branches(setting.streams, noise.iteration, self._masses)[0])
        inner = self._setting(setting, number)
        moved, info = self.parts[number].sampler.step(inner, state.parts[number], noise)
        parts = (*state.parts[:number], moved, *state.parts[number + 1 :])
        drawn, branch = self._state(setting, parts, noise.iteration)
        # One more for the energy of the whole.
        return drawn, replace(info, gradients=info.gradients + 1, branch=branch)

    def chains(self, state: BranchedState) -> ChainState:
        """Return where each chain is in the branch whose turn it is."""
        return state.chains

    def describe(self, state: BranchedState) -> dict[str, object]:
        """Return the masses, and what the warm-up of each branch chose."""
        return {
            part.name: {"mass": part.mass, "method": part.sampler.name}
            | dict(part.sampler.describe(inner))
            for part, inner in zip(self.parts, state.parts, strict=True)
        }

    @property
    def _masses(self) -> tuple[float, ...]:
        return tuple(part.mass for part in self.parts)

    def _setting(self, setting: Setting, number: int) -> Setting:
        """Return what the sampler of one branch sees."""
        if number not in self._densities:
            part = self.parts[number]
            plain = TargetDensity(target=part.target, chart=setting.density.chart)
            chains = -(-len(setting.streams.chains) // torch.get_num_threads())
            self._densities[number] = (
                compile_density(plain, chains=chains) if part.in_machine_code else plain
            )
        return replace(setting, density=self._densities[number])

    def _state(
        self, setting: Setting, parts: tuple[Any, ...], iteration: int
    ) -> tuple[BranchedState, Int[Tensor, " chain"]]:
        """Return where the chains are in an iteration, and in which branches."""
        branch = choose_branches(setting.streams, iteration, self._masses)
        inside = [part.sampler.chains(s) for part, s in zip(self.parts, parts, strict=True)]
        chains = inside[0]
        for number in range(1, len(inside)):
            chains = choose(branch == number, inside[number], chains)
        # What is told of a draw is the energy of the whole, not that of its branch.
        whole = replace(chains, evaluation=setting.density.evaluate(chains.position))
        return BranchedState(parts=parts, chains=whole), branch


def choose_branches(
    streams: Streams, iteration: int, masses: Sequence[float]
) -> Int[Tensor, " chain"]:
    """Return the branch whose turn it is for each chain in an iteration."""
    first = streams.at(0).shared("branches") + iteration * GOLDEN
    place = (first + SILVER * streams.chains.double()) % 1.0
    limits = torch.tensor(masses, dtype=torch.float64, device=place.device).cumsum(0)
    # The masses may sum to a little less than one.
    return torch.bucketize(place, limits, right=True).clamp(max=len(masses) - 1)


def _find_phase(at: Phase, turn: int, turns: int) -> Phase | None:
    """Return where a branch that adapts every `turns` iterations is in its own warm-up."""
    iteration = (at.iteration - 1 - turn) // turns + 1
    length = (at.warmup - 1 - turn) // turns + 1
    mine = (at.iteration - 1) % turns == turn
    return Phase(iteration=iteration, warmup=length) if mine else None


def _find_starts(
    setting: Setting, position: Float[Tensor, "chain dim"], layout: Layout
) -> Float[Tensor, "chain dim"]:
    """Return where the chains of a branch begin.

    Raises:
        EbmError: E0706 or E0707 where the density of the branch is zero wherever one looks.
    """
    evaluation = setting.density.evaluate(position)
    good = torch.nonzero(evaluation.finite & setting.density.is_feasible(evaluation))[:, 0]
    if not len(good):
        return spread_starts(setting.density, layout, setting.streams)
    turns = torch.arange(len(position), device=position.device) % len(good)
    return position[good[turns]]


def _rest(chains: ChainState) -> Info:
    """Return what is told of an iteration in which nothing moves."""
    zeros = torch.zeros_like(chains.level)
    none = torch.zeros_like(zeros, dtype=torch.bool)
    return Info(
        acceptance=zeros,
        faithful=zeros,
        accepted=none,
        diverged=none,
        infeasible=none,
        gradients=torch.zeros_like(none, dtype=torch.long),
        hamiltonian=torch.full_like(zeros, torch.nan),
    )
