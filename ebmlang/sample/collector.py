"""Where draws are put together: arrays with an axis of draws, filled from its beginning."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.sample.draws import Chunk
from ebmlang.sample.state import ChainState, Info

DIVERGENCES_KEPT = 8
"""Most points of each chunk at which divergences are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Room for draws and what is said of them, as `Chunk` has it."""

    points: Float[Tensor, "chain draw packed"]
    energies: Float[Tensor, "chain draw"]
    acceptance: Float[Tensor, "chain draw"]
    moved: Float[Tensor, "chain draw"]
    hamiltonian: Float[Tensor, "chain draw"]
    diverged: Int[Tensor, "chain draw"]
    infeasible: Int[Tensor, "chain draw"]
    gradients: Int[Tensor, "chain draw"]
    branch: Int[Tensor, "chain draw"]


def new_record(like: ChainState, draws: int) -> Record:
    """Return room for so many draws of some chains: whatever is in it but for the branches, all 0.

    Those are one zero, seen often: few samplers have any.
    """
    point = like.evaluation.point
    size = (len(point), draws)

    def room(dtype: torch.dtype) -> Tensor:
        return torch.empty(size, dtype=dtype, device=point.device)

    return Record(
        points=point.new_empty(*size, point.shape[1]),
        energies=room(point.dtype),
        acceptance=room(torch.float64),
        moved=room(torch.float64),
        hamiltonian=room(torch.float64),
        diverged=room(torch.long),
        infeasible=room(torch.long),
        gradients=room(torch.long),
        branch=torch.zeros((), dtype=torch.long, device=point.device).expand(size),
    )


@final
class Collector:
    """Fills one chunk; on the device, without waiting for it.

    Args:
        first: The number of its first draw.
        size: How many draws it holds.
        like: Chains as they will come.
    """

    def __init__(self, first: int, size: int, like: ChainState) -> None:
        self._first, self.size, self.done = first, size, 0
        self.record = new_record(like, size)
        self._divergences: list[Tensor] = []

    @property
    def wanted(self) -> int:
        """How many more points of divergences are kept."""
        return DIVERGENCES_KEPT - sum(len(points) for points in self._divergences)

    def note_divergences(self, before: ChainState, info: Info) -> None:
        """Remember where some of the chains were that diverged."""
        if self.wanted:
            self.keep_divergences(before.evaluation.point[info.diverged])

    def keep_divergences(self, points: Float[Tensor, "point packed"]) -> None:
        """Remember points, as far as there is room."""
        if len(points):
            self._divergences.append(points[: self.wanted])

    def add(self, chains: ChainState, infos: Sequence[Info]) -> None:
        """Take the next draw, and what its iterations did."""
        at, record = self.done, self.record
        record.points[:, at] = chains.evaluation.point
        record.energies[:, at] = chains.evaluation.energy
        count = len(infos)
        record.acceptance[:, at] = _add([info.acceptance for info in infos]) / count
        record.moved[:, at] = _add([info.accepted.double() for info in infos]) / count
        record.diverged[:, at] = _add([info.diverged.long() for info in infos])
        record.infeasible[:, at] = _add([info.infeasible.long() for info in infos])
        record.gradients[:, at] = _add([info.gradients for info in infos])
        record.hamiltonian[:, at] = infos[-1].hamiltonian
        if infos[-1].branch is not None:
            if not record.branch.is_contiguous():
                record = self.record = replace(record, branch=record.branch.contiguous())
            record.branch[:, at] = infos[-1].branch
        self.count(1)

    def count(self, draws: int) -> None:
        """Take draws that are written already."""
        self.done += draws

    def chunk(self) -> Chunk:
        """Return what is filled."""
        found = self._divergences or [self.record.points.new_empty(0, self.record.points.shape[2])]
        filled = {
            field.name: getattr(self.record, field.name)[:, : self.done]
            for field in fields(self.record)
        }
        return Chunk(first=self._first, divergence_points=torch.cat(found), **filled)


def _add(values: Sequence[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
