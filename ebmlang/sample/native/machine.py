"""The loops around one energy, compiled, and how they are called.

`Machine.step` is a kernel's `step` for any kernel that has a form as data (`move.py`);
`Machine.fly` takes many iterations in one call and writes the draws where they belong. Chains fall
into blocks of as many as a vector has lanes; each block goes through all iterations of a call while
its state is in the cache, where there are many side by side with another one; and large work is
split over threads by blocks. What a chain does depends on none of these.

The C text is put together from the energy's own (`EnergyText`) and the `.h` files of this folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.lower.native.build import Absence
from ebmlang.runtime import EnergyText, Target, TextTarget, thread_count
from ebmlang.sample.collector import Record, by_draw
from ebmlang.sample.density import Evaluation
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.native.loops import LANES, PRECISIONS, Loops, LoopShape, build_loops
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.native.tables import (
    Tables,
    cut_blocks,
    spread_to_chains,
    tabulate_chart,
    tabulate_metric,
    tabulate_warp,
)
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise
from ebmlang.spaces import SamplingChart

LARGEST = 4096
"""Unknowns from which on the state of a block of chains does not fit into a cache."""

ABREAST = 2
"""Blocks that move side by side where there are more chains than one block holds: while a step of
one waits for its own results, the processor works on the other."""

SHORT = 300
"""Lines of an energy's text up to which blocks do: of a longer one enough does not wait in a single
block, and the compiler would take up to half as long again."""

NARROW = 32
"""Coordinates up to which they do: more of two blocks do not fit into the nearest cache."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """Compiled loops around one energy.

    Attributes:
        loops: The loops.
        chart: The map to the written coordinates, as tables.
        arrays: What the energy reads besides the point.
        shared: Where these are.
    """

    loops: Loops
    chart: Tables
    arrays: tuple[Tensor, ...]
    shared: Int[Tensor, " array"]

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
        blocks = cut_blocks(chains, self.loops.lanes, (1,))
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
        self.loops.look(tables, len(blocks) - 1)
        return found

    def takes(self, move: Move) -> bool:
        """Whether there are loops for such a move."""
        return self.loops.takes(move)

    def step(self, move: Move, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Move every chain once."""
        following, device = _copy(state, move.rule), self.loops.device
        chains = len(state.level)
        faithful, hamiltonian = torch.empty(2, chains, dtype=torch.float64, device=device).unbind()
        acceptance, moved = state.position.new_empty(2, chains).unbind()
        counts = torch.empty(3, chains, dtype=torch.int32, device=device)
        diverged, infeasible, gradients = counts.unbind()
        told: Tables = {
            "acceptances": acceptance,
            "faithful": faithful,
            "hamiltonians": hamiltonian,
            "moved": moved,
            "diverged": diverged,
            "infeasible": infeasible,
            "gradients": gradients,
            "draws": 1,
            "thin": 1,
        }
        tables = self._tabulate(move, following, noise) | told
        self.loops.run([tables], _count_blocks(tables))
        happened = counts.bool()
        return following, Info(
            acceptance=acceptance.double(),
            faithful=faithful,
            accepted=moved.bool(),
            diverged=happened[0],
            infeasible=happened[1],
            gradients=gradients.long(),
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
        noted_at = torch.zeros(parts, most_noted, 2, dtype=torch.int64, device=self.loops.device)
        noted = state.position.new_empty(parts, most_noted, state.evaluation.point.shape[1])
        tables |= {
            "draws": draws,
            "thin": thin,
            "most_noted": most_noted,
            "column": column,
            "points": by_draw(record.points),
            "energies": by_draw(record.energies),
            "acceptances": by_draw(record.acceptance),
            "moved": by_draw(record.moved),
            "hamiltonians": by_draw(record.hamiltonian),
            "diverged": by_draw(record.diverged),
            "infeasible": by_draw(record.infeasible),
            "gradients": by_draw(record.gradients),
        }
        counts = self.loops.run(
            [tables | {"noted_at": noted_at[part], "noted": noted[part]} for part in range(parts)],
            blocks,
        )
        return following, _sort_noted(counts, noted_at, noted)[:most_noted]

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
            "chains": chains,
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
            "blocks": cut_blocks(chains, self.loops.lanes, groups),
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


def build_machine(
    target: Target, chart: SamplingChart, *, turns: bool = False, chains: int = 1
) -> Machine | Absence | None:
    """Compile the loops around a target.

    Args:
        target: The energy; on the CPU, and with a C text.
        chart: A sampler's coordinates.
        turns: Whether most moves find the length of their trajectories.
        chains: How many are going to move on each thread; what they do does not depend on it.

    Returns:
        The loops; None where the energy or its coordinates have no such form, as unit vectors and
        rotations have none; why there is no machine code, where the compiler is the reason.
    """
    placed = target.device.type in ("cpu", "cuda") and target.dtype in PRECISIONS
    fits = placed and target.dim <= LARGEST
    tables = tabulate_chart(chart, target.dtype) if fits else None
    energy = target.write_text() if tables and isinstance(target, TextTarget) else None
    if tables is None or energy is None:
        return None
    plain = all(piece.kind.value == "free" for piece in chart.pieces) and chart.order is None
    shape = LoopShape(dim=chart.dim, packed=target.dim, plain=plain)
    assert isinstance(target, TextTarget)
    abreast = count_abreast(energy, shape, chains, target)
    many = energy if abreast == 1 else target.write_text(abreast)
    assert many is not None, "it has a text for one block"
    loops = build_loops(energy, shape, target.dtype, target.device, turns=turns, many=many)
    if isinstance(loops, Absence):
        return loops
    arrays = tuple(a.contiguous() for a in (*energy.energy_arrays, *energy.margin_arrays))
    return Machine(
        loops=loops,
        chart=tables,
        arrays=arrays,
        shared=torch.tensor([array.data_ptr() for array in arrays], dtype=torch.int64),
    )


def count_abreast(energy: EnergyText, shape: LoopShape, chains: int, target: Target) -> int:
    """Return how many blocks of chains move side by side, where trajectories have a length.

    Args:
        energy: For one block.
        shape: Of the points.
        chains: How many move on each thread.
        target: The target.
    """
    fits = energy.text.count("\n") <= SHORT and shape.dim <= NARROW
    more = target.device.type == "cpu" and chains > LANES[target.dtype]
    return ABREAST if fits and more else 1


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
