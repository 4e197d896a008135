"""What the loops in machine code are told: one record of numbers and pointers.

The fields are data, so that the C structure and the one that is filled here are one text.
"""

import ctypes
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.sample.metric import Dense, Diagonal, LowRank, Metric
from ebmlang.sample.warp import Warp
from ebmlang.spaces import SamplingChart
from ebmlang.spaces.bijection import contrasts, free_width
from ebmlang.spaces.pieces import PieceKind

FIELDS: tuple[tuple[str, str], ...] = (
    # The energy, and the map from a sampler's coordinates to the written ones.
    ("shared", "const void *const *"),
    ("pieces", "const piece *"),
    ("many_pieces", "int64_t"),
    ("columns", "const int64_t *"),
    ("bounds", "const real *"),
    ("contrasts", "const real *"),
    # The kernel.
    ("rule", "int64_t"),
    ("most_steps", "int64_t"),
    ("varies_steps", "int64_t"),
    ("jitter", "double"),
    ("step_size", "const real *"),
    ("renewal", "const real *"),
    ("drift", "const double *"),
    ("metric", "int64_t"),
    ("metric_group", "const int64_t *"),
    ("used", "const real *"),
    ("scale", "const real *"),
    ("factor", "const real *"),
    ("directions", "const real *"),
    ("factors", "const real *"),
    ("rank", "int64_t"),
    ("warped", "int64_t"),
    ("warp_group", "const int64_t *"),
    ("warp_center", "const real *"),
    ("warp_scale", "const real *"),
    ("warp_mean", "const real *"),
    ("warp_log_scale", "const real *"),
    ("warp_volume", "const real *"),
    ("warp_entries", "const real *"),
    ("entries", "int64_t"),
    ("driven", "const int64_t *"),
    ("drivers", "const int64_t *"),
    # Random numbers.
    ("key_low", "int64_t"),
    ("key_high", "int64_t"),
    ("momentum_word", "int64_t"),
    ("jitter_word", "int64_t"),
    ("accept_word", "int64_t"),
    ("steps_word", "int64_t"),
    ("direction_word", "int64_t"),
    ("swap_word", "int64_t"),
    ("leaf_words", "const int64_t *"),
    ("numbers", "const int64_t *"),
    # How far.
    ("blocks", "const int64_t *"),
    ("first_iteration", "int64_t"),
    ("draws", "int64_t"),
    ("thin", "int64_t"),
    # Where the chains are: [chain] or [chain][dim], changed in place.
    ("position", "real *"),
    ("gradient", "real *"),
    ("point", "real *"),
    ("energy", "real *"),
    ("log_jacobian", "real *"),
    ("momentum", "real *"),
    ("level", "double *"),
    ("faithful", "double *"),
    # What is told of each draw: [draw][chain], a point [draw][number][chain], from `column` on.
    ("chains", "int64_t"),
    ("column", "int64_t"),
    ("points", "real *"),
    ("energies", "real *"),
    ("acceptances", "real *"),
    ("moved", "real *"),
    ("hamiltonians", "double *"),
    ("diverged", "int32_t *"),
    ("infeasible", "int32_t *"),
    ("gradients", "int32_t *"),
    # Where chains diverged: iteration and chain, and the point.
    ("most_noted", "int64_t"),
    ("noted_at", "int64_t *"),
    ("noted", "real *"),
)

_KINDS: dict[str, type[ctypes.c_int64 | ctypes.c_double]] = {
    "int64_t": ctypes.c_int64,
    "double": ctypes.c_double,
}


_DTYPES = {"real": None, "double": torch.float64, "int32_t": torch.int32}
"""Of numbers that are not whole and of 64 bits, as addresses and records of such are."""

ROLES: dict[str, tuple[torch.dtype | None, bool]] = {
    name: (
        _DTYPES.get(kind.removeprefix("const ").split()[0], torch.int64),
        kind.startswith("const "),
    )
    for name, kind in FIELDS
}
"""Of the arrays: their dtype, None where it is the energy's, and whether they are only read."""


class Flight(ctypes.Structure):
    """The record, as C sees it."""

    _fields_ = tuple((name, _KINDS.get(kind, ctypes.c_void_p)) for name, kind in FIELDS)


def show_flight() -> str:
    """Return the C declaration of the record."""
    lines = "".join(f"  {kind} {name};\n" for name, kind in FIELDS)
    return f"typedef struct {{\n{lines}}} flight;\n"


KINDS = (
    PieceKind.FIXED,
    PieceKind.FREE,
    PieceKind.ABOVE,
    PieceKind.BELOW,
    PieceKind.BETWEEN,
    PieceKind.ORDERED,
    PieceKind.SIMPLEX,
)
"""The kinds of pieces in the order of `chart.h`."""

Tables: TypeAlias = dict[str, Tensor | float | int]


def tabulate_chart(chart: SamplingChart, dtype: torch.dtype) -> Tables | None:
    """Return the map to the written coordinates; None where a piece has no such form."""
    if any(piece.kind not in KINDS for piece in chart.pieces):
        return None
    pieces, columns, bounds, matrices = [], [], [], []
    start = bounded = contrasted = 0
    for piece in chart.pieces:
        own = (KINDS.index(piece.kind), piece.count, piece.size, start, bounded, contrasted)
        pieces.append(torch.tensor(own))
        columns.append(piece.columns.flatten())
        pairs = torch.stack([piece.lower, piece.upper], dim=-1).flatten()
        matrix = pairs.new_empty(0)
        if piece.kind is PieceKind.SIMPLEX:
            matrix = contrasts(piece.size, dtype, pairs.device).flatten()
        bounds.append(pairs)
        matrices.append(matrix)
        start += free_width(piece)
        bounded += len(pairs)
        contrasted += len(matrix)
    return {
        "pieces": torch.stack(pieces),
        "many_pieces": len(pieces),
        "columns": torch.cat(columns),
        "bounds": torch.cat(bounds),
        "contrasts": torch.cat(matrices),
    }


def tabulate_metric(metric: Metric, chains: int) -> Tables:
    """Return L of every group, and which group each chain is of."""
    own: Tables
    match metric:
        case Diagonal():
            groups, own = len(metric.scale), {"metric": 0, "scale": metric.scale}
        case Dense():
            groups, own = len(metric.factor), {"metric": 1, "factor": metric.factor}
        case LowRank():
            groups = len(metric.scale)
            own = {
                "metric": 2,
                "scale": metric.scale,
                "directions": metric.directions,
                "factors": metric.stretch,
                "rank": metric.stretch.shape[1],
            }
    return {**own, "metric_group": number_groups(chains, groups), "used": metric.used()}


def tabulate_warp(warp: Warp | None, chains: int) -> Tables:
    """Return the map of every group, the matrices by their entries."""
    if warp is None:
        return {"warped": 0, "warp_group": number_groups(chains, 1)}
    matrices = torch.stack([warp.mean_linear, warp.mean_square, warp.log_scale_linear], dim=-1)
    driven, drivers = torch.nonzero((matrices != 0).any(-1).any(0), as_tuple=True)
    return {
        "warped": 1,
        "warp_group": number_groups(chains, len(warp.scale)),
        "warp_center": warp.center,
        "warp_scale": warp.scale,
        "warp_mean": warp.mean,
        "warp_log_scale": warp.log_scale,
        "warp_volume": warp.scale.log().sum(1),
        "warp_entries": matrices[:, driven, drivers],
        "entries": len(driven),
        "driven": driven,
        "drivers": drivers,
    }


@lru_cache(maxsize=32)
def number_groups(chains: int, groups: int) -> Int[Tensor, " chain"]:
    """Return the group of each chain: contiguous parts of equal size but for one."""
    sizes = [len(part) for part in torch.empty(chains).tensor_split(groups)]
    return torch.arange(groups).repeat_interleave(torch.tensor(sizes))


@lru_cache(maxsize=32)
def cut_blocks(chains: int, lanes: int, groups: tuple[int, ...]) -> Int[Tensor, " bound"]:
    """Return where blocks of chains begin, and the end; each lies within one group of each kind.

    >>> cut_blocks(40, 16, (1,)).tolist(), cut_blocks(40, 16, (2,)).tolist()
    ([0, 16, 32, 40], [0, 16, 20, 36, 40])
    """
    edges = {0, chains}
    for count in groups:
        edges |= {int(edge) for edge in torch.nonzero(number_groups(chains, count).diff()) + 1}
    ordered = sorted(edges)
    starts = [torch.arange(a, b, lanes) for a, b in pairwise(ordered)]
    return torch.cat([*starts, torch.tensor([chains])])


def spread_to_chains(values: Float[Tensor, "*chain"], chains: int) -> Float[Tensor, " chain"]:
    """Return one value of each chain."""
    return values.reshape(-1).expand(chains)
