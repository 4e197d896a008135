"""One step of a kernel: in machine code where both the kernel and the density have that form."""

from ebmlang.sample.density import Density, TargetDensity
from ebmlang.sample.native.machine import Machine
from ebmlang.sample.native.move import Movable, Move
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise


def advance(
    kernel: Kernel, density: Density, state: ChainState, noise: Noise
) -> tuple[ChainState, Info]:
    """Move every chain once."""
    found = find_flight(kernel, density)
    if found is None:
        return kernel.step(density, state, noise)
    machine, move = found
    return machine.step(move, state, noise)


def find_flight(kernel: Kernel, density: Density) -> tuple[Machine, Move] | None:
    """Return the compiled loops of a density and a kernel as data; None where either has none."""
    if not isinstance(density, TargetDensity) or density.machine is None:
        return None
    move = kernel.move() if isinstance(kernel, Movable) else None
    if move is None or density.machine.find_loop(move.rule) is None:
        return None
    return density.machine, move
