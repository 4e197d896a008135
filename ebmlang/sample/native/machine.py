"""The loops around one energy, compiled, and how they are called.

`Machine.step` is a kernel's `step` for any kernel that has a form as data (`move.py`);
`Machine.fly` takes many iterations in one call and writes the draws where they belong. Chains fall
into blocks of as many as a vector has lanes; each block goes through all iterations of a call while
its state is in the cache, and large work is split over threads by blocks. What a chain does depends
on neither.

The C text is put together from the energy's own (`EnergyText`) and the `.h` files of this folder.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.lower.native.build import Absence, Precision, build_library
from ebmlang.lower.native.emit import support
from ebmlang.runtime import EnergyText, Target, TextTarget, thread_count
from ebmlang.sample.collector import Record
from ebmlang.sample.density import Evaluation
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.native.tables import (
    ROLES,
    Flight,
    Tables,
    cut_blocks,
    show_flight,
    spread_to_chains,
    tabulate_chart,
    tabulate_metric,
    tabulate_warp,
)
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise
from ebmlang.spaces import SamplingChart

HEADERS = ("philox.h", "metric.h", "chart.h")
"""The texts before the record `flight`, in their order."""

LOOPS = {
    False: ("block.h", "moves.h", "flight.h"),
    True: ("block.h", "nuts.h", "flight.h"),
}
"""Those after it, by whether trajectories find their length: half of the compiler's time each."""

PRECISIONS: dict[torch.dtype, Precision] = {torch.float32: "float32", torch.float64: "float64"}

LANES = {torch.float32: 16, torch.float64: 8}
"""Chains of a block, as in `prelude.h`."""

LARGEST = 4096
"""Unknowns from which on the state of a block of chains does not fit into a cache."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """Compiled loops around one energy.

    Attributes:
        texts: The C texts of the loops, by whether trajectories find their length.
        chart: The map to the written coordinates, as tables.
        arrays: What the energy reads besides the point.
        shared: Where these are.
        dtype: Of points and values.
    """

    texts: Mapping[bool, str]
    chart: Tables
    arrays: tuple[Tensor, ...]
    shared: Int[Tensor, " array"]
    dtype: torch.dtype

    def evaluate(self, q: Float[Tensor, "chain dim"], packed: int) -> Evaluation:
        """Return the density at a sampler's coordinates, as a step finds it.

        Args:
            q: Where.
            packed: The length of a packed point.
        """
        chains = len(q)
        found = Evaluation(
            point=q.new_empty(chains, packed),
            energy=q.new_empty(chains),
            log_jacobian=q.new_empty(chains),
            reference=q.new_zeros(chains),
            gradient=q.new_empty(q.shape),
        )
        blocks = cut_blocks(chains, LANES[self.dtype], (1,))
        tables: Tables = {
            **self.chart,
            "shared": self.shared,
            "blocks": blocks,
            "position": q.contiguous(),
            "point": found.point,
            "energy": found.energy,
            "log_jacobian": found.log_jacobian,
            "gradient": found.gradient,
        }
        flight, held = _fill(tables, self.dtype)
        look = load_loop(self.texts[False], PRECISIONS[self.dtype], "look")
        assert look is not None, "it was there when this was made"
        if look(ctypes.byref(flight), 0, len(blocks) - 1) < 0:
            raise MemoryError
        del held
        return found

    def find_loop(self, rule: Rule) -> "Loop | None":
        """Return the function `fly` for a rule; None where it could not be built."""
        return load_loop(self.texts[rule is Rule.NO_U_TURN], PRECISIONS[self.dtype], "fly")

    def step(self, move: Move, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Move every chain once."""
        following = _copy(state, move.rule)
        shares = torch.empty(4, len(state.level), dtype=torch.float64)
        counts = torch.empty(4, len(state.level), dtype=torch.int64)
        acceptance, faithful, hamiltonian, moved = shares.unbind()
        diverged, infeasible, gradients, _ = counts.unbind()
        told: Tables = {
            "acceptances": acceptance,
            "faithful": faithful,
            "hamiltonians": hamiltonian,
            "moved": moved,
            "diverged": diverged,
            "infeasible": infeasible,
            "gradients": gradients,
            "length": 1,
            "draws": 1,
            "thin": 1,
        }
        tables = self._tabulate(move, following, noise) | told
        self._call(move.rule, [_fill(tables, self.dtype)], _count_blocks(tables))
        happened = counts.bool()
        return following, Info(
            acceptance=acceptance,
            faithful=faithful,
            accepted=moved.bool(),
            diverged=happened[0],
            infeasible=happened[1],
            gradients=gradients,
            hamiltonian=hamiltonian,
        )

    def fly(
        self,
        move: Move,
        state: ChainState,
        noise: Noise,
        record: Record,
        column: int,
        *,
        draws: int,
        thin: int = 1,
        most_noted: int = 0,
        threads: int = 1,
    ) -> tuple[ChainState, Float[Tensor, "point packed"]]:
        """Move every chain `draws * thin` times.

        Args:
            move: How.
            state: Where the chains are.
            noise: Of the first of the iterations; the others follow it.
            record: Where the draws are written.
            column: At which place of it the first one is.
            draws: How many.
            thin: Iterations of each.
            most_noted: Most points of chains that diverged to return.
            threads: To work on, at most.

        Returns:
            Where the chains are then, and where the first ones were that diverged.
        """
        following = _copy(state, move.rule)
        tables = self._tabulate(move, following, noise)
        blocks = _count_blocks(tables)
        chains, dim = state.position.shape
        parts = min(blocks, thread_count(chains * dim * draws * thin, threads))
        noted_at = torch.zeros(parts, most_noted, 2, dtype=torch.int64)
        noted = state.position.new_empty(parts, most_noted, state.evaluation.point.shape[1])
        tables |= {
            "draws": draws,
            "thin": thin,
            "faithful": torch.empty_like(following.level),
            "most_noted": most_noted,
            "length": record.energies.shape[1],
            "column": column,
            "points": record.points,
            "energies": record.energies,
            "acceptances": record.acceptance,
            "moved": record.moved,
            "hamiltonians": record.hamiltonian,
            "diverged": record.diverged,
            "infeasible": record.infeasible,
            "gradients": record.gradients,
        }
        flights = [
            _fill(tables | {"noted_at": noted_at[part], "noted": noted[part]}, self.dtype)
            for part in range(parts)
        ]
        counts = self._call(move.rule, flights, blocks)
        return following, _sort_noted(counts, noted_at, noted)[:most_noted]

    def _call(
        self, rule: Rule, flights: Sequence[tuple[Flight, list[Tensor]]], blocks: int
    ) -> list[int]:
        """Move all blocks, one thread for each flight; return how many divergences each noted."""
        fly = self.find_loop(rule)
        assert fly is not None, "whoever has a flight has looked"

        def call(part: int) -> int:
            begin, end = (blocks * at // len(flights) for at in (part, part + 1))
            return fly(ctypes.byref(flights[part][0]), begin, end)

        if len(flights) == 1:
            counts = [call(0)]
        else:
            with ThreadPoolExecutor(len(flights)) as pool:
                counts = list(pool.map(call, range(len(flights))))
        if min(counts) < 0:
            raise MemoryError
        return counts

    def _tabulate(self, move: Move, state: ChainState, noise: Noise) -> Tables:
        chains = len(state.position)
        warp_groups = 1 if move.warp is None else len(move.warp.scale)
        metric = tabulate_metric(move.metric, chains)
        warp = tabulate_warp(move.warp, chains)
        # A diagonal metric is one vector of lanes per coordinate, whatever their groups are.
        flat = isinstance(move.metric, Diagonal)
        groups = (1 if flat else _count_groups(metric), warp_groups)
        key = noise.streams.key
        tables: Tables = {
            **self.chart,
            **metric,
            **warp,
            "shared": self.shared,
            "first_iteration": noise.iteration,
            "rule": move.rule,
            "most_steps": move.most_steps,
            "varies_steps": move.varies_steps,
            "jitter": move.jitter,
            "step_size": spread_to_chains(move.step_size, chains),
            "key_low": key[0],
            "key_high": key[1],
            "momentum_word": noise.word("momentum"),
            "jitter_word": noise.word("jitter"),
            "accept_word": noise.word("accept"),
            "steps_word": noise.word("steps"),
            "numbers": noise.streams.chains,
            "blocks": cut_blocks(chains, LANES[self.dtype], groups),
            "position": state.position,
            "gradient": state.evaluation.gradient,
            "point": state.evaluation.point,
            "energy": state.evaluation.energy,
            "log_jacobian": state.evaluation.log_jacobian,
        }
        if move.rule is Rule.NO_U_TURN:
            forks = (noise.fork(f"doubling {place}") for place in range(move.most_steps))
            tables["leaf_words"] = torch.tensor([fork.word("leaf") for fork in forks])
            tables["direction_word"] = noise.word("direction")
            tables["swap_word"] = noise.word("swap")
        if move.rule is Rule.PERSISTENT:
            assert move.renewal is not None
            assert move.drift is not None
            tables |= {"momentum": state.momentum, "level": state.level}
            tables["renewal"] = spread_to_chains(move.renewal, chains)
            tables["drift"] = spread_to_chains(move.drift, chains)
        return tables


def build_machine(target: Target, chart: SamplingChart) -> Machine | Absence | None:
    """Compile the loops around a target.

    Args:
        target: The energy; on the CPU, and with a C text.
        chart: A sampler's coordinates.

    Returns:
        The loops; None where the energy or its coordinates have no such form, as unit vectors and
        rotations have none; why there is no machine code, where the compiler is the reason.
    """
    fits = target.device.type == "cpu" and target.dtype in PRECISIONS and target.dim <= LARGEST
    tables = tabulate_chart(chart, target.dtype) if fits else None
    energy = target.write_text() if tables and isinstance(target, TextTarget) else None
    if tables is None or energy is None:
        return None
    plain = all(piece.kind.value == "free" for piece in chart.pieces) and chart.order is None
    texts = {
        turns: write_loops(energy, files, dim=chart.dim, packed=target.dim, plain=plain)
        for turns, files in LOOPS.items()
    }
    library = build_library(texts[False], PRECISIONS[target.dtype])
    if isinstance(library, Absence):
        return library
    arrays = tuple(a.contiguous() for a in (*energy.energy_arrays, *energy.margin_arrays))
    return Machine(
        texts=texts,
        chart=tables,
        arrays=arrays,
        shared=torch.tensor([array.data_ptr() for array in arrays], dtype=torch.int64),
        dtype=target.dtype,
    )


Loop: TypeAlias = Callable[..., int]
"""A function of `flight.h`, over some of the blocks."""


@lru_cache(maxsize=64)
def load_loop(text: str, precision: Precision, name: str) -> Loop | None:
    """Return a function of a text, built where it is not kept."""
    library = build_library(text, precision)
    if isinstance(library, Absence):
        return None
    # Any: ctypes takes the types of arguments only as attributes of the function.
    function: Any = getattr(library.handle, name)
    function.restype = ctypes.c_int64
    function.argtypes = (ctypes.POINTER(Flight), ctypes.c_int64, ctypes.c_int64)
    loop: Loop = function
    return loop


def write_loops(
    energy: EnergyText, files: Sequence[str], *, dim: int, packed: int, plain: bool
) -> str:
    """Return the C text of the loops around an energy.

    Args:
        energy: The energy.
        files: The names of the loops' texts.
        dim: How many coordinates a sampler moves in.
        packed: The length of a packed point.
        plain: Whether these are the same.
    """
    work = f"{energy.energy}_SCRATCH"
    if energy.required:
        margins = f"{energy.margins}_SCRATCH"
        work = f"({work} > {margins} ? {work} : {margins})"
    defines = {
        "DIM": dim,
        "PACKED": packed,
        "REQUIRED": energy.required,
        "PLAIN": int(plain),
        "WORK": f"({work} + 1)",
        "ENERGY": energy.energy,
        "MARGINS": energy.margins,
        "SHARED_BY_ENERGY": len(energy.energy_arrays),
    }
    defined = "".join(f"#define {name} {value}\n" for name, value in defines.items())
    before, after = (tuple(map(_read, names)) for names in (HEADERS, files))
    return "\n".join(
        ("#include <stdlib.h>", support(), energy.text, defined, *before, show_flight(), *after)
    )


@lru_cache(maxsize=8)
def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _copy(state: ChainState, rule: Rule) -> ChainState:
    """Return a state of its own, to be changed in place; what does not change is shared."""

    def own(values: Tensor) -> Tensor:
        return values.clone(memory_format=torch.contiguous_format)

    here, position = state.evaluation, own(state.position)
    # Where the coordinates are the written ones, both are one array.
    one = here.point.data_ptr() == state.position.data_ptr()
    evaluation = Evaluation(
        point=position if one else own(here.point),
        energy=own(here.energy),
        log_jacobian=own(here.log_jacobian),
        reference=here.reference,
        gradient=own(here.gradient),
    )
    persists = rule is Rule.PERSISTENT
    return ChainState(
        position=position,
        evaluation=evaluation,
        momentum=own(state.momentum) if persists else state.momentum,
        level=own(state.level) if persists else state.level,
    )


def _count_blocks(tables: Tables) -> int:
    blocks = tables["blocks"]
    assert isinstance(blocks, Tensor)
    return len(blocks) - 1


def _sort_noted(
    counts: Sequence[int], at: Int[Tensor, "part slot 2"], points: Float[Tensor, "part slot packed"]
) -> Float[Tensor, "point packed"]:
    """Return what each part noted, by iteration and then by chain."""
    found = sorted(
        (tuple(at[part, slot].tolist()), part, slot)
        for part, count in enumerate(counts)
        for slot in range(count)
    )
    places = [points[part, slot] for _, part, slot in found]
    return torch.stack(places) if places else points.new_empty(0, points.shape[-1])


def _count_groups(metric: Tables) -> int:
    group = metric["metric_group"]
    assert isinstance(group, Tensor)
    return int(group[-1]) + 1


def _fill(tables: Tables, dtype: torch.dtype) -> tuple[Flight, list[Tensor]]:
    """Return the record for C, and what must live as long as it does."""
    flight, held = Flight(), []
    for name, value in tables.items():
        if isinstance(value, Tensor):
            wanted, constant = ROLES[name]
            ready = value
            if value.dtype is not (wanted or dtype) or not value.is_contiguous():
                # What is changed in place must not be a copy.
                assert constant, name
                ready = value.to(wanted or dtype).contiguous()
            held.append(ready)
            setattr(flight, name, ready.data_ptr())
        else:
            setattr(flight, name, value)
    return flight, held
