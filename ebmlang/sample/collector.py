"""Where draws are put together: arrays with an axis of draws, filled from its beginning.

Draws that come one by one wait until there are enough to write together: a call for one number
costs as much as one for many, and consecutive draws of a chain lie side by side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import make_room
from ebmlang.sample.density import Evaluation
from ebmlang.sample.draws import Chunk
from ebmlang.sample.state import ChainState, Info, Stride

DIVERGENCES_KEPT = 8
"""Most points of each chunk at which divergences are remembered."""

WAITING = 1 << 20
"""Numbers that wait to be written, about; of at least one draw."""

NUMBERS_TOLD = 8
"""What is told of each iteration besides a point, in numbers of a chain."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Room for draws and what is said of them, as `Chunk` has it.

    In memory a draw comes after the other, each number of all chains side by side: whoever moves
    many chains at once writes whole vectors.
    """

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

    def room(dtype: torch.dtype, *numbers: int) -> Tensor:
        return make_room((draws, *numbers, len(point)), dtype, point.device).movedim(-1, 0)

    return Record(
        points=room(point.dtype, point.shape[1]),
        energies=room(point.dtype),
        acceptance=room(point.dtype),
        moved=room(point.dtype),
        hamiltonian=room(torch.float64),
        diverged=room(torch.int32),
        infeasible=room(torch.int32),
        gradients=room(torch.int32),
        branch=torch.zeros((), dtype=torch.long, device=point.device).expand(size),
    )


def by_draw(told: Tensor) -> Tensor:
    """Return an array of a record as it lies in memory: [draw, chain] or [draw, number, chain]."""
    return told.movedim(0, -1)


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
        self._begins: list[Evaluation] = []
        self._infos: list[Info] = []
        point = like.evaluation.point
        self._most_waiting = WAITING // (len(point) * (point.shape[1] + NUMBERS_TOLD))

    @property
    def wanted(self) -> int:
        """How many more points of divergences are kept."""
        return DIVERGENCES_KEPT - sum(len(points) for points in self._divergences)

    @property
    def room(self) -> int:
        """How many more iterations are worth waiting for: one at least."""
        most = max(1, self._most_waiting)
        return most - len(self._begins) % most

    def note(self, before: ChainState, info: Info) -> None:
        """Take an iteration on the way to the next draw: where it began, and what it did."""
        self._begins.append(before.evaluation)
        self._infos.append(info)

    def take_stride(self, stride: Stride, draws: Sequence[Evaluation]) -> None:
        """Take several iterations at once, with the draws among their ends but for the last."""
        self._begins.extend(stride.visited[:-1])
        self._infos.append(stride.info)
        self._draws.extend(draws)
        self.count(len(draws))

    def keep_divergences(self, points: Float[Tensor, "point packed"]) -> None:
        """Remember points, as far as there is room."""
        if len(points):
            self._divergences.append(points[: self.wanted])

    def add(self, chains: ChainState) -> None:
        """Take the next draw, at the end of the iterations since the last."""
        self._draws.append(chains.evaluation)
        self.count(1)
        if len(self._begins) >= self._most_waiting:
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
        draws, infos = self._draws, self._infos
        if not draws:
            return
        chains, thin = len(draws[0].point), len(self._begins) // len(draws)

        def told(values: Iterable[Tensor]) -> Tensor:
            # By iteration and chain; an info may be of several iterations.
            return torch.cat(tuple(values)).view(-1, thin, chains)

        def total(values: Tensor) -> Tensor:
            # A sum of one is slow.
            return (values.squeeze(1) if thin == 1 else values.sum(1)).T

        record, at = self.record, slice(self.done - len(draws), self.done)
        record.points[:, at] = torch.stack([here.point for here in draws], 1)
        record.energies[:, at] = torch.stack([here.energy for here in draws], 1)
        record.acceptance[:, at] = total(told(info.acceptance for info in infos).double()) / thin
        record.moved[:, at] = total(told(info.accepted for info in infos).double()) / thin
        diverged = told(info.diverged for info in infos)
        record.diverged[:, at] = total(diverged)
        record.infeasible[:, at] = total(told(info.infeasible for info in infos))
        record.gradients[:, at] = total(told(info.gradients for info in infos))
        record.hamiltonian[:, at] = told(info.hamiltonian for info in infos)[:, -1].T
        if any(info.branch is not None for info in infos):
            self._write_branches(at, infos[thin - 1 :: thin])
        if self.wanted and bool(diverged.any()):
            for before, places in zip(self._begins, diverged.flatten(0, 1), strict=True):
                self.keep_divergences(before.point[places])
        self._draws.clear()
        self._begins.clear()
        self._infos.clear()

    def _write_branches(self, at: slice, last: Sequence[Info]) -> None:
        """Write which branch each draw is of, from the last iteration of each."""
        record = self.record
        if not record.branch.is_contiguous():
            record = self.record = replace(record, branch=record.branch.contiguous())
        for place, info in enumerate(last, at.start):
            if info.branch is not None:
                record.branch[:, place] = info.branch
