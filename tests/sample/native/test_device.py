"""The text for CUDA devices, compiled as C++ for the processor, does what the loops in C do.

Each chain is a thread there; here threads are taken one after the other.
"""

import ctypes
import shutil
import subprocess

import pytest
import torch

from ebmlang.lower.native.build import assemble, find_compiler
from ebmlang.sample.native.loops import DeviceLoops, LoopShape, write_loops
from ebmlang.sample.native.machine import Machine
from tests.sample.native.test_machine import (
    DIM,
    ROUND_OFF,
    kernels,
    make,
    new_record,
    same,
)

COMPILER = shutil.which("c++")

pytestmark = pytest.mark.skipif(
    COMPILER is None or find_compiler() is None, reason="there is no C++ compiler"
)

EMULATION = """
struct index { unsigned x; };
static index blockIdx, blockDim, threadIdx;
#define __global__
"""

DRIVER = """
extern "C" void emulate(const flight *f, int blocks, int moves) {
  blockDim.x = 4;
  for (blockIdx.x = 0; blockIdx.x * blockDim.x < (unsigned)blocks; blockIdx.x++)
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
      moves ? fly(f, blocks) : look(f, blocks);
}
"""


def emulate(machine, target, shape, folder):
    """Return a machine whose loops are those for a device."""

    def build(name, warped):
        whole = LoopShape(dim=shape.dim, packed=shape.packed, plain=shape.plain, warped=warped)
        text = assemble(write_loops(target.write_text(), whole), "float64", on_device=True)
        source, built = folder / f"{name}{warped}.cpp", folder / f"{name}{warped}.so"
        source.write_text(f"{EMULATION}\n{text}\n{DRIVER}")
        # As exact as the C: on the processor it is contracted too.
        flags = ("-std=c++17", "-O1", "-w", "-shared", "-fPIC", "-march=native")
        subprocess.run([COMPILER, *flags, str(source), "-o", str(built)], check=True)
        library = ctypes.CDLL(str(built))
        return lambda flight, blocks: library.emulate(
            ctypes.byref(flight), blocks, int(name == "fly")
        )

    loops = DeviceLoops(build=build, dtype=torch.float64, device=torch.device("cpu"))
    return Machine(loops=loops, chart=machine.chart, arrays=machine.arrays, shared=machine.shared)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["free", "boxes", "simplex"])
def test_every_kernel_but_no_u_turn_moves_chains_as_on_the_processor(layout, tmp_path):
    density, machine, streams, state = make(layout, floor=-1.0)
    plain = layout == "free"
    shape = LoopShape(dim=density.chart.dim, packed=DIM, plain=plain)
    device = emulate(machine, density.target, shape, tmp_path)

    for name, kernel in kernels(density.chart.dim).items():
        move = kernel.move()
        if not device.takes(move):
            assert "no-U-turn" in name
            continue
        records = [new_record(state, 6), new_record(state, 6)]
        ends = [
            one.fly(move, state, streams.at(1), record, 0, draws=3, thin=2)[0]
            for one, record in zip((machine, device), records, strict=True)
        ]
        same(*ends, ROUND_OFF)
        torch.testing.assert_close(
            records[1].points[:, :3], records[0].points[:, :3], rtol=ROUND_OFF, atol=ROUND_OFF
        )
        assert torch.equal(records[1].moved[:, :3], records[0].moved[:, :3])
        seen = [one.evaluate(ends[0].position, DIM) for one in (machine, device)]
        same(*seen, ROUND_OFF)
