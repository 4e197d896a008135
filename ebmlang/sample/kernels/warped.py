"""A kernel in straightened coordinates: exact for the same law, in its own units."""

from dataclasses import dataclass, replace
from typing import final

from ebmlang.sample.density import Density
from ebmlang.sample.native.move import Movable, Move
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise
from ebmlang.sample.warp import Warp, WarpedDensity


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warped:
    """A kernel that moves z where the chains are at q(z).

    Attributes:
        kernel: It moves z; its metric is that of z.
        warp: The map, which does not depend on where the chains are.
    """

    kernel: Kernel
    warp: Warp

    def move(self) -> Move | None:
        """Return the step as data; None where that of the kernel has no such form."""
        inner = self.kernel.move() if isinstance(self.kernel, Movable) else None
        return None if inner is None else inner.through(self.warp)

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Go there, step, and come back."""
        inside = WarpedDensity(plain=density, warp=self.warp)
        moved, info = self.kernel.step(inside, inside.enter(state), noise)
        # Where a chain stays, it stays to the last bit.
        here = replace(state, momentum=moved.momentum, level=moved.level)
        return choose(info.accepted, inside.leave(moved), here), info
