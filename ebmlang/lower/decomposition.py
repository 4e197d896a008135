"""An energy taken apart, exactly: which part of a term answers for how much of it.

Each joint writes the energy of a piece as a weighted sum of its parts' energies:

| joint | E = | coefficients r |
| --- | --- | --- |
| SUM | sum_i E_i | all 1 |
| MAX, MIN | sum_i r_i E_i | 1 for the extreme part; ties share |
| NOISY_OR | sum_i r_i (E_i + o_i) - H(r) | l_i / sum l, l_i = -log(1 - exp(-E_i)) |
| MIXTURE | sum_i r_i (E_i + o_i) - H(r) | p_i / sum p, p_i = w_i exp(-E_i), sum w = 1 |
| SOFTMIN | sum_i r_i E_i - H(r) | p_i / sum p, p_i = exp(-E_i) |

with offsets o_i = E - log(r_i) - E_i and the entropy H(r) = -sum_i r_i log r_i. A noisy-or holds
where a Poisson event of rate l_i, of any branch, happens: its probability is 1 - exp(-sum_i l_i),
and r_i is the chance that the first event is of branch i, whatever the order of the branches. So E
is the sum over all leaves of coefficient times energy, plus coefficients times offsets, minus
coefficients times entropies. The *responsibility* of a part sums to 1 among its siblings: it is r,
and under a SUM the part's share of the sum of magnitudes.

Source: for mixtures, Neal and Hinton, A view of the EM algorithm that justifies incremental,
sparse, and other variants (1998), equation 6.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.composition import Joint, Piece
from ebmlang.lang.elementwise import log1mexp
from ebmlang.lang.table import OPERATORS

Array = NDArray[np.float64]

_EXTREME = (Joint.MAX, Joint.MIN)

_LARGE = 40.0
"""Energies from where exp(-C) / 2, the first correction of -C, is below float64's rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """The roots of a composition at a batch of points: arrays `[chain, ...]` by path."""

    energies: Mapping[str, Array]
    margins: Mapping[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A piece at a batch of points; arrays `[chain, ...]` with the axes of its quantifiers.

    Attributes:
        piece: It.
        factor: What its root was multiplied by.
        energy: As it stands in the whole, all factors included [nats].
        margin: For constraints [tolerances].
        responsibility: Among its siblings; sums to 1.
        coefficient: The weight of its energy in that of the whole.
        offset: What is added to its energy inside of the joint above [nats]; 0 where its
            coefficient is.
        entropy: Of the responsibilities of its parts, all factors included [nats].
        counts: Whether an element counts, where a condition depends on data.
        parts: Those of the piece.
    """

    piece: Piece
    factor: float
    energy: Array
    margin: Array | None
    responsibility: Array
    coefficient: Array
    offset: Array
    entropy: Array
    counts: NDArray[np.bool_]
    parts: "tuple[Reading, ...]" = ()

    def walk(self) -> Iterator["Reading"]:
        """Yield this and all parts below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def read_piece(
    piece: Piece, values: Values, *, factor: float, responsibility: Array, coefficient: float
) -> Reading:
    """Return a term taken apart at every point.

    Args:
        piece: The term's piece.
        values: Of all its roots.
        factor: The weight of the term in the energy.
        responsibility: Of the term among all terms.
        coefficient: 1 for a term of the energy, 0 for one that is not in it.
    """
    zeros = np.zeros_like(responsibility)
    top = _Place(
        factor=factor,
        responsibility=responsibility,
        coefficient=np.full_like(responsibility, coefficient),
        offset=zeros,
        counts=np.ones(zeros.shape, dtype=bool),
    )
    with np.errstate(all="ignore"):
        return _read(piece, values, top)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Place:
    """What a piece gets from the joint above it."""

    factor: float
    responsibility: Array
    coefficient: Array
    offset: Array
    counts: NDArray[np.bool_]


def _read(piece: Piece, values: Values, place: _Place) -> Reading:
    own = values.energies[piece.root]
    factor = place.factor * piece.factor
    entropy, parts = np.zeros_like(own), []
    if piece.joint is not Joint.LEAF:
        share = _share(piece, values, place)
        # `own` is not multiplied by the factor, and neither are the energies below.
        entropy = factor * share.entropy
        for i, part in enumerate(piece.parts):
            inner = _Place(
                factor=factor,
                responsibility=share.of(share.responsibility, i),
                coefficient=share.of(share.coefficient, i),
                offset=factor * share.of(share.offset, i),
                counts=share.counts if piece.axes is not None else place.counts,
            )
            parts.append(_read(part, values, inner))
    return Reading(
        piece=piece,
        factor=factor,
        energy=_times(factor, own),
        margin=values.margins.get(piece.root) if piece.is_constraint else None,
        responsibility=place.responsibility,
        coefficient=place.coefficient,
        offset=place.offset,
        entropy=entropy,
        counts=place.counts,
        parts=tuple(parts),
    )


def _times(factor: float, energy: Array) -> Array:
    return energy if factor == 1.0 else factor * energy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shares:
    """Arrays over the parts of one piece, which lie along the last axis unless `axes` says so.

    Attributes:
        axes: The shape of the elements that the only part stands for; None for operands.
    """

    responsibility: Array
    coefficient: Array
    offset: Array
    entropy: Array
    counts: NDArray[np.bool_]
    axes: tuple[int, ...] | None

    def of(self, array: Array, part: int) -> Array:
        """Return what an array says of one part."""
        if self.axes is None:
            return np.ascontiguousarray(array[..., part])
        return array.reshape(*array.shape[:-1], *self.axes)


def _share(piece: Piece, values: Values, place: _Place) -> _Shares:
    """Return how the parts of a piece share its energy."""
    outer = place.coefficient.shape
    arrays = [_times(part.factor, values.energies[part.root]) for part in piece.parts]
    if piece.axes is None:
        energies = np.stack(arrays, axis=-1)
        counts = np.ones(energies.shape, dtype=bool)
    else:
        flat = (*outer, math.prod(piece.axes.shape))
        energies = arrays[0].reshape(flat)
        counts = np.ones(flat, dtype=bool)
        if piece.mask is not None:
            counts = values.energies[piece.mask].reshape(flat).astype(bool)
        counts = counts & place.counts[..., None]
    logs = _log_shares(piece, energies, counts, values)
    responsibility, entropy = np.zeros_like(energies), np.zeros(outer)
    if piece.joint is Joint.SUM:
        responsibility = _even(np.abs(energies), counts)
        coefficient = place.coefficient[..., None] * counts
    else:
        responsibility, entropy = _normalize(logs, counts)
        coefficient = place.coefficient[..., None] * responsibility
    offset = np.zeros_like(energies)
    # A part that answers for nothing may have an infinite offset, times zero.
    acts = responsibility > 0
    if piece.joint is Joint.NOISY_OR:
        branches = np.where(counts, np.maximum(energies, 0.0), math.inf)
        whole = np.asarray(OPERATORS["noisy_or"].evaluate(branches, axes=(-1,)))
        offset[acts] = (whole[..., None] - energies - np.log(responsibility))[acts]
    if piece.joint is Joint.MIXTURE:
        offset[acts] = (-logs - energies)[acts]
    if piece.joint in _EXTREME:
        entropy = np.zeros(outer)
    shape = None if piece.axes is None else piece.axes.shape
    return _Shares(
        responsibility=responsibility,
        coefficient=coefficient,
        offset=np.nan_to_num(offset, nan=0.0, posinf=0.0, neginf=0.0),
        entropy=entropy,
        counts=counts if shape is None else counts.reshape(*outer, *shape),
        axes=shape,
    )


def _log_shares(piece: Piece, energies: Array, counts: NDArray[np.bool_], values: Values) -> Array:
    """Return the log of what each part's responsibility is in proportion to."""
    outside = np.where(counts, 0.0, -math.inf)
    match piece.joint:
        case Joint.MAX | Joint.MIN:
            # Ties share: one each, to be normalized.
            sign = 1.0 if piece.joint is Joint.MAX else -1.0
            ranked = np.where(counts, sign * energies, -math.inf)
            top = np.max(ranked, axis=-1, keepdims=True, initial=-math.inf)
            return np.where(counts & (ranked == top), 0.0, -math.inf)
        case Joint.NOISY_OR:
            logs = np.where(counts, _log_rate(np.maximum(energies, 0.0)), -math.inf)
            # Branches that hold for sure have infinite rates: they share.
            sure = np.isposinf(logs)
            shared = np.where(sure, 0.0, -math.inf)
            return np.where(sure.any(axis=-1, keepdims=True), shared, logs)
        case Joint.MIXTURE if piece.weights:
            weights = np.stack([values.energies[name] for name in piece.weights], axis=-1)
            total = np.sum(weights, axis=-1, keepdims=True)
            return np.asarray(np.log(weights) - np.log(total) - energies)
        case Joint.MIXTURE:
            number = np.sum(counts, axis=-1, keepdims=True)
            return np.asarray(outside - np.log(number) - np.where(counts, energies, 0.0))
        case _:
            return outside - np.where(counts, energies, 0.0)


def _log_rate(energies: Array) -> Array:
    """Return log(-log(1 - exp(-C))); of a large C it is -C, as -log(1 - p) is p of a small p."""
    return np.where(energies < _LARGE, np.log(-log1mexp(np.minimum(energies, _LARGE))), -energies)


def _normalize(logs: Array, counts: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return shares proportional to exp(logs), and their entropy; where all vanish, equal ones."""
    # Of huge energies only the differences fit into floats, so the largest is taken off first.
    top = np.max(logs, axis=-1, keepdims=True, initial=-math.inf)
    logs = logs - np.where(np.isneginf(top), 0.0, top)
    total = _logsumexp(logs)[..., None]
    shares = np.where(np.isneginf(total), _even(np.zeros_like(logs), counts), np.exp(logs - total))
    entropy = -np.sum(np.where(shares > 0, shares * np.log(np.maximum(shares, 1e-300)), 0.0), -1)
    return shares, np.where(np.isneginf(total[..., 0]), 0.0, entropy)


def share_evenly(magnitudes: Array) -> Array:
    """Return shares along the last axis in proportion; equal ones where all are 0."""
    return _even(magnitudes, np.ones(magnitudes.shape, dtype=bool))


def _even(magnitudes: Array, counts: NDArray[np.bool_]) -> Array:
    magnitudes = np.where(counts, magnitudes, 0.0)
    infinite = np.isinf(magnitudes)
    some = infinite.any(axis=-1, keepdims=True)
    magnitudes = np.where(some, infinite.astype(float), magnitudes)
    total = np.sum(magnitudes, axis=-1, keepdims=True)
    magnitudes = np.where(total > 0, magnitudes, counts.astype(float))
    total = np.sum(magnitudes, axis=-1, keepdims=True)
    return np.asarray(magnitudes / np.maximum(total, 1e-300))


def _logsumexp(logs: Array) -> Array:
    return np.asarray(OPERATORS["logsumexp"].evaluate(logs, axes=(-1,)))


def recompose(readings: Sequence[Reading]) -> Array:
    """Return the energy of the whole from its leaves: what the decomposition promises.

    E = sum over leaves of coefficient * energy
        + sum over all pieces of coefficient * (offset - entropy).
    """
    total: Array | None = None
    for reading in (one for top in readings for one in top.walk()):
        value = reading.coefficient * (reading.offset - reading.entropy)
        if reading.piece.joint is Joint.LEAF:
            value = value + np.where(
                reading.coefficient > 0, reading.coefficient * reading.energy, 0.0
            )
        value = value.reshape(len(value), -1).sum(axis=1)
        total = value if total is None else total + value
    assert total is not None
    return total
