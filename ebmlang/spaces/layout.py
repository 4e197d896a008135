"""How the variables of a model lie in one packed point.

A packed point is one row of a `[chain, dim]` tensor: the written coordinates of all
variables, each flattened in C order, one after the other.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces.domain import ConcreteDomain


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One variable and its columns, from `start` up to, and not including, `stop`."""

    path: str
    domain: ConcreteDomain
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """All variables, in the order of their columns, without gaps."""

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        stop = 0
        for block in self.blocks:
            assert block.start == stop
            assert block.stop == stop + block.domain.size
            stop = block.stop
            _require_bounds(block.path, block.domain)

    @property
    def dim(self) -> int:
        """The length of a packed point."""
        return self.blocks[-1].stop if self.blocks else 0

    def pack(self, values: Mapping[str, Float[Tensor, "chain ..."]]) -> Float[Tensor, "chain dim"]:
        """Lay the variables' values, each `[chain, *shape]`, side by side."""
        columns = [values[block.path].reshape(-1, block.domain.size) for block in self.blocks]
        return torch.cat(columns, dim=1)

    def unpack(self, x: Float[Tensor, "chain dim"]) -> dict[str, Float[Tensor, "chain ..."]]:
        """Return each variable's values as `[chain, *shape]` views of the packed points."""
        return {
            block.path: x[:, block.start : block.stop].reshape(-1, *block.domain.shape)
            for block in self.blocks
        }


def build_layout(domains: Mapping[str, ConcreteDomain]) -> Layout:
    """Lay variables side by side in the order given.

    Raises:
        EbmError: E0318 where bounds are not numbers, or leave no room.

    >>> from ebmlang.lang import DomainKind
    >>> layout = build_layout({"a": ConcreteDomain(kind=DomainKind.REAL, shape=(2, 3))})
    >>> layout.dim
    6
    """
    blocks: list[Block] = []
    start = 0
    for path, domain in domains.items():
        stop = start + domain.size
        blocks.append(Block(path=path, domain=domain, start=start, stop=stop))
        start = stop
    return Layout(blocks=tuple(blocks))


def _require_bounds(path: str, domain: ConcreteDomain) -> None:
    assert domain.lower is not None
    assert domain.upper is not None
    lower, upper = domain.lower.ravel(), domain.upper.ravel()
    # Written so that a NaN counts as wrong.
    room = (lower <= upper) & (lower < math.inf) & (upper > -math.inf)
    if room.all():
        return
    at = int(np.argmin(room))
    place = f"`{path}`"
    if domain.shape:
        index = ", ".join(str(i) for i in np.unravel_index(at, domain.shape))
        place = f"`{path}[{index}]`"
    raise EbmError(
        Diagnostic(
            code="E0318",
            headline=f"the bounds of {place}, [{lower[at]:g}, {upper[at]:g}], hold no number",
            helps=(f"give `{path}` a lower bound that is at most its upper bound",),
        )
    )
