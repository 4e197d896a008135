"""What a sampler hands on: chunks of draws as the run goes, and all of them at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

if TYPE_CHECKING:
    from ebmlang.sample.sampler import Place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """Consecutive draws of all chains, in the written coordinates.

    What is said of a draw sums up the iterations since the draw before it.

    Attributes:
        first: The number of the first of them.
        points: Packed points.
        energies: Their energies, without any Jacobian [nats].
        acceptance: Mean acceptance probability.
        moved: Share of iterations that moved.
        diverged: Iterations that diverged.
        infeasible: Iterations whose proposal violated something required.
        gradients: Evaluations of energy and gradient.
        hamiltonian: Total energy after the latest momentum was drawn [nats]; nan without momenta.
        branch: The number of the branch that the draw is of; 0 where E was drawn as a whole.
        divergence_points: Where some of the iterations that diverged began.
    """

    first: int
    points: Float[Tensor, "chain draw packed"]
    energies: Float[Tensor, "chain draw"]
    acceptance: Float[Tensor, "chain draw"]
    moved: Float[Tensor, "chain draw"]
    diverged: Int[Tensor, "chain draw"]
    infeasible: Int[Tensor, "chain draw"]
    gradients: Int[Tensor, "chain draw"]
    hamiltonian: Float[Tensor, "chain draw"]
    branch: Int[Tensor, "chain draw"]
    divergence_points: Float[Tensor, "point packed"]


PER_DRAW = (
    "points",
    "energies",
    "acceptance",
    "moved",
    "diverged",
    "infeasible",
    "gradients",
    "hamiltonian",
    "branch",
)
"""The fields of a chunk with an axis of draws."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """All draws of a run.

    Attributes:
        chunk: The draws and what is said of each.
        method: The sampler's name.
        adaptation: What the warm-up chose, in words and numbers; it did not change while the
            draws were taken.
        warmup: Iterations it took.
        warmup_gradients: Evaluations of each chain that it took.
        thin: Iterations per draw.
        interrupted: Whether the user stopped the run, or its time ran out; the draws are then
            those finished before.
    """

    chunk: Chunk
    method: str
    adaptation: Mapping[str, object]
    warmup: int
    warmup_gradients: Int[Tensor, " chain"]
    thin: int
    interrupted: bool

    @property
    def points(self) -> Float[Tensor, "chain draw packed"]:
        """Packed points, in the written coordinates."""
        return self.chunk.points

    @property
    def energies(self) -> Float[Tensor, "chain draw"]:
        """Their energies, without any Jacobian [nats]."""
        return self.chunk.energies

    @property
    def iterations(self) -> int:
        """Iterations of each chain after the warm-up."""
        return self.chunk.points.shape[1] * self.thin


@runtime_checkable
class Sink(Protocol):
    """Where a run puts what it makes, with the place from which it can go on."""

    def warmed(self, place: "Place[Any]") -> None:
        """Hear, now and then, how far the warm-up has come."""

    def write(self, chunk: Chunk, place: "Place[Any]") -> None:
        """Take the next draws; the place is that after the last of them."""


@final
class MemorySink:
    """Keeps all draws."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    def warmed(self, place: "Place[Any]") -> None:
        """Do nothing: a run in memory does not go on after its process."""
        del place

    def write(self, chunk: Chunk, place: "Place[Any]") -> None:
        """Keep the draws."""
        del place
        self.chunks.append(chunk)


def join_chunks(chunks: list[Chunk], empty: Chunk) -> Chunk:
    """Return consecutive chunks as one; `empty` where there is none."""
    if not chunks:
        return empty
    if len(chunks) == 1:
        return chunks[0]
    joined = {
        name: torch.cat([getattr(chunk, name) for chunk in chunks], dim=1) for name in PER_DRAW
    }
    points = torch.cat([chunk.divergence_points for chunk in chunks])
    return Chunk(first=chunks[0].first, divergence_points=points, **joined)
