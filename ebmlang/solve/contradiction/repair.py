"""The least that has to be given so that everything required can hold: elastic programming.

Each group of margins gets a slack s >= 0: m(x) >= 0 becomes m(x) + s >= 0, and the sum of the
slacks is minimized. Bounds of variables can give too: l <= x <= u becomes l - s <= x <= u + s.

Source: Chinneck, Feasibility and Infeasibility in Optimization (2008), section 6.1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import DerivedTarget, Target
from ebmlang.solve.run import solve
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

Array = NDArray[np.float64]

SLACK = " slack"
"""The path of the slacks in a layout: no variable can have it."""

NOTHING = 1e-5
"""A slack below it, relative to the sum and to 1, is what the search has left over."""

SAME = 1e-3
"""Sums that differ by less, relatively, are the same to a reader."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounded:
    """Columns of the packed point whose bounds may be given up.

    Attributes:
        start, stop: Which columns.
        lower, upper: Their bounds.
        group: Their slack.
    """

    start: int
    stop: int
    lower: Array
    upper: Array
    group: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elastic(DerivedTarget):
    """A target over points with slacks behind them; its energy is the sum of the slacks.

    Attributes:
        target: Of the points alone.
        margins: From points to all columns.
        columns: What is required.
        groups: For each of them the number of its slack, `count` for none.
        bounded: Bounds that have one.
        count: How many slacks there are.
    """

    margins: Callable[[Tensor], Tensor]
    columns: tuple[int, ...]
    groups: tuple[int, ...]
    bounded: tuple[Bounded, ...]
    count: int

    @property
    def dim(self) -> int:
        """The length of a packed point, slacks included."""
        return self.target.dim + self.count

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the slacks [tolerances]."""
        return x[:, self.target.dim :].sum(1)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins with their slacks, then those of the bounds."""
        point, slacks = x[:, : self.target.dim], x[:, self.target.dim :]
        # Behind the slacks there is a zero, for what gives nothing.
        slacks = torch.cat([slacks, torch.zeros_like(x[:, :1])], 1)
        found = [self.margins(point)[:, list(self.columns)] + slacks[:, list(self.groups)]]
        for one in self.bounded:
            part, given = point[:, one.start : one.stop], slacks[:, one.group, None]
            for sign, bound in ((1.0, one.lower), (-1.0, one.upper)):
                finite = np.flatnonzero(np.isfinite(bound))
                ends = torch.as_tensor(bound[finite], dtype=x.dtype, device=x.device)
                found.append(sign * (part[:, torch.as_tensor(finite)] - ends) + given)
        return torch.cat(found, 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """A point, and what each group has to give for it to be allowed.

    Attributes:
        point: Packed, without slacks.
        slacks: By group [tolerances; the variable's unit for bounds]; 0 where none is needed.
    """

    point: Array
    slacks: Mapping[int, float]

    @property
    def total(self) -> float:
        """The sum of what is given."""
        return sum(self.slacks.values())


def give_least(
    target: Target,
    margins: Callable[[Tensor], Tensor],
    layout: Layout,
    *,
    columns: Sequence[int],
    groups: Sequence[int],
    bounded: Sequence[Bounded] = (),
    seed: int,
    starts: int,
) -> Given | None:
    """Return the point for which the groups have to give least in sum; None if none is enough.

    Args:
        target: The model.
        margins: All columns of margins.
        layout: Where points live; of what `bounded` gives up, without bounds.
        columns: What is required.
        groups: For each of them the number of its slack, -1 where it gives nothing.
        bounded: Bounds that may give.
        seed: Of the search.
        starts: Of the search.
    """
    numbers = sorted({*groups, *(one.group for one in bounded)} - {-1})
    places = {group: place for place, group in enumerate(numbers)}
    elastic = Elastic(
        target=target,
        margins=margins,
        columns=tuple(columns),
        groups=tuple(places.get(group, len(numbers)) for group in groups),
        bounded=tuple(replace(one, group=places[one.group]) for one in bounded),
        count=len(numbers),
    )
    domains = {block.path: block.domain for block in layout.blocks}
    domains[SLACK] = ConcreteDomain(
        kind=DomainKind.REAL, shape=(len(numbers),), lower=np.zeros(len(numbers))
    )
    found = solve(elastic, build_layout(domains), seed=seed, starts=starts, adam_steps=0, designs=1)
    if not found.is_feasible and found.interrupted:
        raise KeyboardInterrupt
    if not found.is_feasible:
        return None
    x = np.asarray(found.points[0].detach().cpu().numpy(), dtype=np.float64)
    slacks = x[target.dim :]
    return Given(
        point=x[: target.dim],
        slacks={group: float(slacks[place]) for group, place in places.items()},
    )


def give_to_few(
    give: Callable[[frozenset[int]], Given | None], groups: Sequence[int]
) -> Given | None:
    """Return what is given by as few groups as the least sum allows.

    A sum of slacks can often be split at will between groups: those that give little are
    asked, one by one, to give nothing, as long as the sum stays the least.

    Args:
        give: From the groups that may give to the least sum.
        groups: All that may.
    """
    best = give(frozenset(groups))
    if best is None:
        return None
    least = best.total
    active = frozenset(g for g, slack in best.slacks.items() if slack > NOTHING * (1.0 + least))
    if len(active) < len(best.slacks):
        fewer = give(active)
        if fewer is None:
            return best
        best = fewer
    for group in sorted(active, key=best.slacks.__getitem__):
        if len(active) == 1:
            break
        fewer = give(active - {group})
        if fewer is not None and fewer.total <= least * (1.0 + SAME) + NOTHING:
            best, active = fewer, active - {group}
    return best
