"""Bounds and tolerances that come from rows: what each row says, and whether it makes sense."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.trace import Trace, trace_nodes
from ebmlang.spaces import ConcreteDomain, Layout, build_layout
from ebmlang.spaces.layout import Block

Columns = tuple[Tensor, ...]
"""The data of some rows: for each given by row, its values, `[row, ...]`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowLimits:
    """What of each row has to be looked at before it is solved.

    Attributes:
        layout: Where the coordinates live that all rows share, see `RowBoxes`.
        lower: Bounds that the spec writes for variables whose other bound comes from rows, and
            `-inf` elsewhere.
        upper: Likewise; `inf` elsewhere.
        sides: For each bound that comes from rows, which it is, and its columns of a packed point.
        finite: For each of these, which elements are bounds; the others are infinite in all rows.
        trace: The values of these bounds, and then of tolerances.
    """

    layout: Layout
    lower: Float[Tensor, " dim"]
    upper: Float[Tensor, " dim"]
    sides: tuple[tuple[RootKind, slice], ...]
    finite: tuple[Bool[Tensor, " column"], ...]
    trace: Trace

    @property
    def varies(self) -> bool:
        """Whether any bound comes from rows."""
        return bool(self.sides)


def find_limits(module: CompiledEnergy, layout: Layout, parts: Iterable[Columns]) -> RowLimits:
    """Return the bounds and tolerances of a model that come from rows.

    Args:
        module: The energy, bound to what all rows share.
        layout: Where its points live, with bounds by row left open.
        parts: The data of all rows, some at a time; read only where a bound comes from rows.
    """
    graph = module.graph
    blocks = {block.path: block for block in layout.blocks}
    sides, numbers, paths = [], [], []
    for kind in (RootKind.LOWER, RootKind.UPPER):
        for root, number in graph.roots_of(kind):
            if graph.varying[number]:
                block = blocks[root.path]
                sides.append((kind, slice(block.start, block.stop)))
                numbers.append(number)
                paths.append(root.path)
    tolerances = [n for _, n in graph.roots_of(RootKind.POSITIVE) if graph.varying[n]]
    trace = trace_nodes(module, [*numbers, *tolerances])
    lower = torch.full((layout.dim,), -torch.inf, dtype=module.dtype, device=module.device)
    upper = torch.full_like(lower, torch.inf)
    for path in dict.fromkeys(paths):
        block = blocks[path]
        for side, bound in ((lower, block.domain.lower), (upper, block.domain.upper)):
            assert bound is not None
            side[block.start : block.stop] = torch.tensor(np.ravel(bound)).to(side)
    limits = RowLimits(
        layout=layout,
        lower=lower,
        upper=upper,
        sides=tuple(sides),
        finite=tuple(torch.zeros_like(lower[w], dtype=torch.bool) for _, w in sides),
        trace=trace,
    )
    if not sides:
        return limits
    for part in parts:
        values = _trace(limits, module, part)[: len(sides)]
        seen = [torch.isfinite(value).any(0) for value in values]
        limits = replace(
            limits, finite=tuple(a | b for a, b in zip(limits.finite, seen, strict=True))
        )
    return replace(limits, layout=_share(limits, set(paths)))


def judge_rows(
    limits: RowLimits, module: CompiledEnergy, columns: Columns
) -> tuple[Bool[Tensor, " row"], Float[Tensor, "row dim"], Float[Tensor, "row dim"]]:
    """Return which rows make sense, and the bounds of each; infinite where not by row.

    Args:
        limits: What to look at.
        module: The energy.
        columns: The data of the rows.
    """
    rows = len(columns[0])
    lower, upper = limits.lower.repeat(rows, 1), limits.upper.repeat(rows, 1)
    sound = torch.ones(rows, dtype=torch.bool, device=module.device)
    values = _trace(limits, module, columns)
    for (kind, where), finite, value in zip(limits.sides, limits.finite, values, strict=False):
        side = lower if kind is RootKind.LOWER else upper
        side[:, where] = value
        sound &= (torch.isfinite(value) == finite).all(1)
    sound &= (lower <= upper).all(1)
    for tolerance in values[len(limits.sides) :]:
        sound &= (tolerance > 0).all(1)
    return sound, lower, upper


def _trace(limits: RowLimits, module: CompiledEnergy, columns: Columns) -> list[Tensor]:
    """Return the traced values of rows, each `[row, element]`."""
    x = torch.zeros((len(columns[0]), module.dim), dtype=module.dtype, device=module.device)
    with torch.no_grad():
        values = limits.trace(x, *columns)
    return [(v.flatten(1) if v.ndim > 1 else v[:, None]).to(x.dtype) for v in values]


def _share(limits: RowLimits, paths: set[str]) -> Layout:
    """Return the layout whose bounds by row are those of the coordinates that rows share."""
    lower, upper = limits.lower.cpu().clone(), limits.upper.cpu().clone()
    for (kind, where), finite in zip(limits.sides, limits.finite, strict=True):
        side = lower if kind is RootKind.LOWER else upper
        side[where] = torch.where(finite.cpu(), 0.0, side[where])
    below, above = torch.isfinite(lower).numpy(), torch.isfinite(upper).numpy()
    floor = np.where(below, 0.0, -np.inf)
    ceiling = np.where(below & above, 1.0, np.where(above, 0.0, np.inf))

    def share(block: Block) -> ConcreteDomain:
        if block.path not in paths:
            return block.domain
        columns, shape = slice(block.start, block.stop), block.domain.shape
        return replace(
            block.domain,
            lower=floor[columns].reshape(shape),
            upper=ceiling[columns].reshape(shape),
        )

    return build_layout({block.path: share(block) for block in limits.layout.blocks})
