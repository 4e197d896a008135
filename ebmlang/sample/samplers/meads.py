"""MEADS: persistent generalised HMC that needs no tuning, for ensembles.

The chains fall into folds. Each fold's step size, damping and diagonal metric come from the fold
before it, so that nothing is tuned by hand and no chain is moved by what it says itself. One
gradient per iteration: the momentum persists instead of trajectories being long. In the warm-up
all folds move at once, each by where the one before was; `freeze` ends all learning.

Source: Hoffman and Sountsov, Tuning-Free Generalized Hamiltonian Monte Carlo (2022), algorithm 3.
There folds are drawn anew every few iterations; here a chain keeps its fold, so that its random
numbers stay its own.
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.adaptation.folds import FOLDS, FoldPace, learn_pace
from ebmlang.sample.advance import advance
from ebmlang.sample.kernels.generalized import Generalized
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.sampler import Phase, Setting
from ebmlang.sample.state import ChainState, Info, begin
from ebmlang.sample.streams import Noise


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeadsState:
    """Where the chains are, and what each fold moves by.

    Attributes:
        chains: Where they are.
        pace: What each fold moves by.
        renewal: Share of the momentum that each fold draws anew.
    """

    chains: ChainState
    pace: FoldPace
    renewal: Float[Tensor, " fold"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Meads:
    """Persistent generalised HMC, each fold tuned by the one before it."""

    name: str

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> MeadsState:
        """Begin at the positions."""
        chains = begin(setting.density, position, setting.streams.at(0))
        return _learn(setting, chains, 1)

    def adapt(
        self, setting: Setting, state: MeadsState, noise: Noise, at: Phase
    ) -> tuple[MeadsState, Info]:
        """Learn from where the chains are, and move every chain once."""
        return self.step(setting, _learn(setting, state.chains, at.iteration), noise)

    def freeze(self, state: MeadsState) -> MeadsState:
        """Keep what was learnt last."""
        return state

    def step(self, setting: Setting, state: MeadsState, noise: Noise) -> tuple[MeadsState, Info]:
        """Move every chain once, by what was learnt."""
        chains, info = advance(self.kernel(state), setting.density, state.chains, noise)
        return replace(state, chains=chains), info

    def kernel(self, state: MeadsState) -> Generalized:
        """Return what moves the chains."""
        count = len(state.chains.position)
        return Generalized(
            step_size=_per_chain(state.pace.step_size, count),
            metric=Diagonal(scale=state.pace.scale),
            renewal=_per_chain(state.renewal, count),
            # Half the renewal, as in section 3.2 of the source.
            drift=_per_chain(state.renewal / 2, count),
        )

    def move_to(self, state: MeadsState, chains: ChainState) -> MeadsState:
        """Return the state with the chains somewhere else."""
        return replace(state, chains=chains)

    def chains(self, state: MeadsState) -> ChainState:
        """Return where the chains are."""
        return state.chains

    def describe(self, state: MeadsState) -> dict[str, object]:
        """Return what the warm-up chose."""
        return {
            "step size": state.pace.step_size.tolist(),
            "renewal": state.renewal.tolist(),
            "scale": state.pace.scale.mean(0).tolist(),
        }


def build_meads() -> Meads:
    """Return the sampler."""
    return Meads(name="meads")


def _learn(setting: Setting, chains: ChainState, iteration: int) -> MeadsState:
    here = chains.evaluation
    healthy = here.finite & torch.isfinite(chains.position).all(1)
    pace = learn_pace(chains.position, here.gradient, healthy)
    pooled = [setting.density.chart.pool(scale.square()).sqrt() for scale in pace.scale]
    # At first the longest direction is not known yet: momenta then last for about as many
    # iterations as there have been (section 3.2 of the source).
    damping = pace.damping.clamp(min=1 / iteration)
    return MeadsState(
        chains=chains,
        pace=replace(pace, scale=torch.stack(pooled)),
        renewal=1 - torch.exp(-2 * damping),
    )


def _per_chain(values: Float[Tensor, " fold"], chains: int) -> Float[Tensor, " chain"]:
    """Return each chain's value."""
    sizes = [chains // FOLDS + (fold < chains % FOLDS) for fold in range(FOLDS)]
    return torch.cat([values[fold].expand(size) for fold, size in enumerate(sizes)])
