"""Where draws are put together: arrays with an axis of draws, filled from its beginning.

Draws that come one by one wait until there are enough to write together: a call for one number
costs as much as one for many, and consecutive draws of a chain lie side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import make_room
from ebmlang.sample.density import Evaluation
from ebmlang.sample.draws import Chunk
from ebmlang.sample.state import ChainState, Info

DIVERGENCES_KEPT = 8
"""Most points of each chunk at which divergences are remembered."""

WAITING = 1 << 18
"""Numbers that wait to be written, about; of at least one draw."""

NUMBERS_TOLD = 8
"""What is told of each iteration besides a point, in numbers of a chain."""


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
        return make_room(size, dtype, point.device)

    return Record(
        points=make_room((*size, point.shape[1]), point.dtype, point.device),
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
        self._draws: list[Evaluation] = []
        self._iterations: list[tuple[Evaluation, Info]] = []
        point = like.evaluation.point
        self._most_waiting = WAITING // (len(point) * (point.shape[1] + NUMBERS_TOLD))

    @property
    def wanted(self) -> int:
        """How many more points of divergences are kept."""
        return DIVERGENCES_KEPT - sum(len(points) for points in self._divergences)

    def note(self, before: ChainState, info: Info) -> None:
        """Take an iteration on the way to the next draw: where it began, and what it did."""
        self._iterations.append((before.evaluation, info))

    def keep_divergences(self, points: Float[Tensor, "point packed"]) -> None:
        """Remember points, as far as there is room."""
        if len(points):
            self._divergences.append(points[: self.wanted])

    def add(self, chains: ChainState) -> None:
        """Take the next draw, at the end of the iterations since the last."""
        self._draws.append(chains.evaluation)
        self.count(1)
        if len(self._iterations) >= self._most_waiting:
            self._write()

    def count(self, draws: int) -> None:
        """Take draws that are written already."""
        self.done += draws

    def chunk(self) -> Chunk:
        """Return what is filled."""
        self._write()
        found = self._divergences or [self.record.points.new_empty(0, self.record.points.shape[2])]
        filled = {
            field.name: getattr(self.record, field.name)[:, : self.done]
            for field in fields(self.record)
        }
        return Chunk(first=self._first, divergence_points=torch.cat(found), **filled)

    def _write(self) -> None:
        """Write what waits, and what its iterations did."""
        draws, infos = self._draws, [info for _, info in self._iterations]
        if not draws:
            return
        thin = len(infos) // len(draws)

        def told(values: Iterable[Tensor]) -> Tensor:
            stacked = torch.stack(tuple(values), 1)
            return stacked.view(len(stacked), -1, thin)

        record, at = self.record, slice(self.done - len(draws), self.done)
        record.points[:, at] = torch.stack([here.point for here in draws], 1)
        record.energies[:, at] = torch.stack([here.energy for here in draws], 1)
        record.acceptance[:, at] = told(info.acceptance for info in infos).double().mean(2)
        record.moved[:, at] = told(info.accepted for info in infos).double().mean(2)
        diverged = told(info.diverged for info in infos)
        record.diverged[:, at] = diverged.sum(2)
        record.infeasible[:, at] = told(info.infeasible for info in infos).sum(2)
        record.gradients[:, at] = told(info.gradients for info in infos).sum(2)
        last = infos[thin - 1 :: thin]
        record.hamiltonian[:, at] = torch.stack([info.hamiltonian for info in last], 1)
        for place, info in enumerate(last, at.start):
            if info.branch is not None:
                if not record.branch.is_contiguous():
                    record = self.record = replace(record, branch=record.branch.contiguous())
                record.branch[:, place] = info.branch
        if self.wanted and bool(diverged.any()):
            for before, info in self._iterations:
                self.keep_divergences(before.point[info.diverged])
        self._draws.clear()
        self._iterations.clear()
