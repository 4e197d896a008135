"""The loops around one energy, as one text, compiled for the processor or for a CUDA device.

The text is put together from the energy's own (`EnergyText`) and the `.h` files of this folder. On
the processor a block of chains fills the lanes of a vector, several may move side by side, and they
fall to threads; on a device each thread moves a block of one chain, and its state stays with the
thread through all iterations of a call.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias, final, runtime_checkable

import torch
from torch import Tensor

from ebmlang.lower.native.build import Absence, Precision, assemble, build_library
from ebmlang.lower.native.emit import support
from ebmlang.runtime import EnergyText
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.native.tables import ROLES, Flight, Tables, show_flight

HEADERS = ("philox.h", "metric.h", "chart.h")
"""The texts before the record `flight`, in their order."""

LOOPS = {
    False: ("block.h", "moves.h", "flight.h"),
    True: ("block.h", "nuts.h", "flight.h"),
}
"""Those after it, by whether trajectories find their length: half of the compiler's time each."""

LEVELS = {False: "-O3", True: "-O2"}
"""What the compiler is asked for, by the same: trajectories that find their length are as fast at
the lower level, at which it takes half the time."""

PRECISIONS: dict[torch.dtype, Precision] = {torch.float32: "float32", torch.float64: "float64"}

LANES = {torch.float32: 16, torch.float64: 8}
"""Chains of a block on the processor, as in `prelude.h`."""

THREADS = 128
"""Threads that share a multiprocessor's registers at a time: four warps, so that many such groups
fit however many registers each thread takes."""


@runtime_checkable
class Loops(Protocol):
    """Compiled loops."""

    @property
    def lanes(self) -> int:
        """Chains of a block."""

    @property
    def device(self) -> torch.device:
        """Where the chains are."""

    def takes(self, move: Move) -> bool:
        """Whether there is room for such a move."""

    def run(self, parts: Sequence[Tables], blocks: int) -> list[int]:
        """Move all blocks, an equal share for each part; return how many divergences each noted."""

    def look(self, tables: Tables, blocks: int) -> None:
        """Evaluate the density at the positions of all blocks."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostLoops:
    """Loops on the processor.

    Attributes:
        texts: The C texts, by whether trajectories find their length.
        dtype: Of points and values.
        turns: Which of them most moves are of; what both can do falls to it, so that a run that
            needs no other builds no other.
        abreast: Blocks that move side by side at most; a thread has a multiple of them.
    """

    texts: Mapping[bool, str]
    dtype: torch.dtype
    turns: bool = False
    abreast: int = 1
    device: torch.device = field(default=torch.device("cpu"))

    @property
    def lanes(self) -> int:
        """Chains of a block."""
        return LANES[self.dtype]

    def takes(self, move: Move) -> bool:
        """Whether there are loops for such a move: unless the compiler failed, there are."""
        is_single = move.most_steps == 1 and move.warp is None
        return self._find(move.rule, is_single=is_single) is not None

    def run(self, parts: Sequence[Tables], blocks: int) -> list[int]:
        """Move all blocks, each part on a thread of its own."""
        flights = [fill_flight(part, self.dtype, self.device) for part in parts]
        told = parts[0]
        is_single = bool(told["most_steps"] == 1 and not told["warped"])
        fly = self._find(told["rule"], is_single=is_single)
        assert fly is not None, "whoever moves chains has looked"

        rows = -(-blocks // self.abreast)

        def call(part: int) -> int:
            edges = (rows * at // len(flights) * self.abreast for at in (part, part + 1))
            begin, end = (min(edge, blocks) for edge in edges)
            return fly(ctypes.byref(flights[part][0]), begin, end)

        if len(flights) == 1:
            counts = [call(0)]
        else:
            with ThreadPoolExecutor(len(flights)) as pool:
                counts = list(pool.map(call, range(len(flights))))
        if min(counts) < 0:
            raise MemoryError
        return counts

    def look(self, tables: Tables, blocks: int) -> None:
        """Evaluate the density at the positions of all blocks."""
        flight, held = fill_flight(tables, self.dtype, self.device)
        look = load_loop(self.texts[self.turns], PRECISIONS[self.dtype], "look", self.turns)
        assert look is not None, "it was there when these loops were made"
        if look(ctypes.byref(flight), 0, blocks) < 0:
            raise MemoryError
        del held

    def _find(self, rule: Tensor | float | int, *, is_single: bool) -> "Loop | None":
        """Return what takes moves of a rule, knowing whether they are of one leapfrog step."""
        turns = rule == Rule.NO_U_TURN
        turns = bool(turns or (self.turns and is_single and rule == Rule.METROPOLIS))
        return load_loop(self.texts[turns], PRECISIONS[self.dtype], "fly", turns)


Loop: TypeAlias = Callable[..., int]
"""A function of `flight.h`, over some of the blocks."""


@lru_cache(maxsize=64)
def load_loop(text: str, precision: Precision, name: str, turns: bool) -> Loop | None:
    """Return a function of a text, built where it is not kept; None where it cannot be."""
    library = build_library(text, precision, LEVELS[turns])
    if isinstance(library, Absence):
        return None
    # Any: ctypes takes the types of arguments only as attributes of the function.
    function: Any = getattr(library.handle, name)
    function.restype = ctypes.c_int64
    function.argtypes = (ctypes.POINTER(Flight), ctypes.c_int64, ctypes.c_int64)
    loop: Loop = function
    return loop


Launch: TypeAlias = Callable[[Flight, int], None]
"""Moves so many blocks on a device, each in a thread of its own."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeviceLoops:
    """Loops on a CUDA device. Where chains diverged is counted there, and no point is kept.

    Attributes:
        build: Compiles `fly` or `look`, with a straightening map or without.
        dtype: Of points and values.
        device: Where the chains are.
    """

    build: Callable[[str, bool], Launch]
    dtype: torch.dtype
    device: torch.device
    lanes: int = 1
    _launches: dict[tuple[str, bool], Launch] = field(default_factory=dict, repr=False)

    def takes(self, move: Move) -> bool:
        """Whether a thread has room for such a move: not for a trajectory that doubles."""
        return move.rule is not Rule.NO_U_TURN

    def run(self, parts: Sequence[Tables], blocks: int) -> list[int]:
        """Move all blocks."""
        (tables,) = parts
        self._launch("fly", tables | {"most_noted": 0}, blocks)
        return [0]

    def look(self, tables: Tables, blocks: int) -> None:
        """Evaluate the density at the positions of all blocks."""
        self._launch("look", tables, blocks)

    def _launch(self, name: str, tables: Tables, blocks: int) -> None:
        key = (name, bool(tables.get("warped", 0)))
        if key not in self._launches:
            self._launches[key] = self.build(*key)
        flight, held = fill_flight(tables, self.dtype, self.device)
        self._launches[key](flight, blocks)
        del held


def build_loops(
    energy: EnergyText,
    shape: "LoopShape",
    dtype: torch.dtype,
    device: torch.device,
    *,
    turns: bool = False,
    many: EnergyText | None = None,
) -> HostLoops | DeviceLoops | Absence:
    """Compile the loops around an energy, or say why there are none.

    Args:
        energy: The energy, for one block.
        shape: Of the points.
        dtype: Of points and values.
        device: Where the chains are.
        turns: Whether most moves find the length of their trajectories.
        many: The energy for all blocks that move side by side where trajectories have a length;
            others find theirs block by block, as each takes as long as its slowest chain.
    """
    if device.type == "cuda":
        return _build_on_device(energy, shape, dtype, device)
    many = energy if many is None else many
    texts = {
        True: write_loops(energy, shape, turns=True),
        False: write_loops(many, shape, turns=False),
    }
    library = build_library(texts[turns], PRECISIONS[dtype], LEVELS[turns])
    if isinstance(library, Absence):
        return library
    return HostLoops(texts=texts, dtype=dtype, turns=turns, abreast=many.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopShape:
    """What the text of the loops depends on besides the energy.

    Attributes:
        dim: How many coordinates a sampler moves in.
        packed: The length of a packed point.
        plain: Whether these are the same.
        warped: Whether a straightening map may be asked for.
    """

    dim: int
    packed: int
    plain: bool
    warped: bool = True


def write_loops(energy: EnergyText, shape: LoopShape, *, turns: bool = False) -> str:
    """Return the text of the loops around an energy.

    Args:
        energy: The energy.
        shape: Of the points.
        turns: Whether trajectories find their length.
    """
    work = f"{energy.energy}_SCRATCH"
    if energy.required:
        margins = f"{energy.margins}_SCRATCH"
        work = f"({work} > {margins} ? {work} : {margins})"
    names = {
        "DIM": shape.dim,
        "PACKED": shape.packed,
        "REQUIRED": energy.required,
        "PLAIN": int(shape.plain),
        "WARPED": int(shape.warped),
        "WORK": f"({work} + 1)",
        "ENERGY": energy.energy,
        "MARGINS": energy.margins,
        "SHARED_BY_ENERGY": len(energy.energy_arrays),
        "BLOCKS": energy.blocks,
    }
    defined = "".join(f"#define {name} {value}\n" for name, value in names.items())
    before, after = (tuple(map(read_text, files)) for files in (HEADERS, LOOPS[turns]))
    return "\n".join((support(), energy.text, defined, *before, show_flight(), *after))


@lru_cache(maxsize=8)
def read_text(name: str) -> str:
    """Return a text of this folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def fill_flight(
    tables: Tables, dtype: torch.dtype, device: torch.device
) -> tuple[Flight, list[Tensor]]:
    """Return the record for the loops, and what must live as long as it does."""
    flight, held = Flight(), []
    for name, value in tables.items():
        if isinstance(value, Tensor):
            wanted, constant = ROLES[name]
            ready = value
            same = value.dtype is (wanted or dtype) and value.device == device
            if not (same and value.is_contiguous()):
                # What is changed in place must not be a copy.
                assert constant, name
                ready = value.to(device=device, dtype=wanted or dtype).contiguous()
            held.append(ready)
            setattr(flight, name, ready.data_ptr())
        else:
            setattr(flight, name, value)
    return flight, held


# --- CUDA ----------------------------------------------------------------------------


def _build_on_device(
    energy: EnergyText, shape: LoopShape, dtype: torch.dtype, device: torch.device
) -> DeviceLoops | Absence:
    """Compile for a device, by the run-time compiler that torch brings along."""

    def build(name: str, warped: bool) -> Launch:
        from torch.cuda import _compile_kernel

        text = write_loops(
            energy,
            LoopShape(dim=shape.dim, packed=shape.packed, plain=shape.plain, warped=warped),
        )
        kernel = _compile_kernel(
            assemble(text, PRECISIONS[dtype], on_device=True),
            name,
            nvcc_options=["-default-device", "--std=c++17", "-w"],
        )

        def launch(flight: Flight, blocks: int) -> None:
            record = torch.frombuffer(bytearray(flight), dtype=torch.uint8).to(device)
            grid = (-(-blocks // THREADS), 1, 1)
            kernel(grid=grid, block=(THREADS, 1, 1), args=[record, blocks])
            # Whoever paces the calls by the clock must see how long they take.
            torch.cuda.synchronize(device)

        return launch

    try:
        with torch.cuda.device(device):
            first = build("fly", False)
    except (ImportError, OSError, RuntimeError, TypeError) as error:
        return Absence(f"the loops could not be compiled for the device: {error}".splitlines()[0])
    return DeviceLoops(build=build, dtype=dtype, device=device, _launches={("fly", False): first})
