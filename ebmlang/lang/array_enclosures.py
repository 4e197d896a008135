"""Ranges of operators on arrays that are not monotone, or that round.

As in `enclosures`: no operand is empty, and ends are rounded outward.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.enclosures import bound_div, bound_mul, bound_sub
from ebmlang.lang.interval import Bound, Interval, limited, widen

_EPS = float(np.finfo(np.float64).eps)

WHOLE = 2.0**53
"""Sums of whole numbers do not round below it."""

LARGEST_PRODUCT = 1_000_000
"""How many products a matrix product may form; past it nothing is said of its values."""

NOISY_OR_ERROR = 1e-12
"""How far `noisy_or` of one energy may be off, relative to its value."""


# --- sums -------------------------------------------------------------------------------


def _totals(x: Bound, axes: tuple[int, ...], low: bool) -> Bound:
    with np.errstate(all="ignore"):
        total = np.sum(x, axis=axes)
        size = np.sum(np.abs(x), axis=axes)
        # Every partial sum rounds once; a sum of whole numbers does not.
        whole = np.all(x == np.floor(x), axis=axes) & (size < WHOLE)
        count = math.prod(x.shape[axis] for axis in axes)
        error = np.where(whole, 0.0, count * _EPS * size * (count > 1))
        side = -1.0 if low else 1.0
        moved = np.where(np.isfinite(total), total + side * error, total)
    return np.where(np.isnan(moved), side * np.inf, moved)


def bound_sum(x: Interval, *, axes: tuple[int, ...]) -> Interval:
    """Return the range of a sum."""
    return Interval.make(_totals(x.lower, axes, True), _totals(x.upper, axes, False))


def bound_mean(x: Interval, *, axes: tuple[int, ...]) -> Interval:
    """Return the range of a mean."""
    count = math.prod(x.shape[axis] for axis in axes)
    return bound_div(bound_sum(x, axes=axes), Interval.point(float(count)))


def bound_cumsum(x: Interval) -> Interval:
    """Return the range of running sums along the last axis."""
    sums = [bound_sum(_part(x, slice(0, k + 1)), axes=(-1,)) for k in range(x.shape[-1])]
    if not sums:
        return x
    return Interval.make(
        np.stack([one.lower for one in sums], axis=-1),
        np.stack([one.upper for one in sums], axis=-1),
    )


def _part(x: Interval, index: slice) -> Interval:
    return Interval(x.lower[..., index], x.upper[..., index])


def bound_trace(x: Interval) -> Interval:
    """Return the range of the sum of the diagonal."""
    diagonal = Interval(
        np.diagonal(x.lower, axis1=-2, axis2=-1), np.diagonal(x.upper, axis1=-2, axis2=-1)
    )
    return bound_sum(diagonal, axes=(-1,))


# --- products ---------------------------------------------------------------------------


def bound_prod(x: Interval, *, axes: tuple[int, ...]) -> Interval:
    """Return the range of a product, multiplied in pairs."""
    kept = [axis for axis in range(-len(x.shape), 0) if axis not in axes]
    order = [axis + len(x.shape) for axis in (*kept, *axes)]
    shape = tuple(x.shape[axis] for axis in kept)
    size = math.prod(x.shape[axis] for axis in axes)
    flat = Interval(
        x.lower.transpose(order).reshape(*shape, size),
        x.upper.transpose(order).reshape(*shape, size),
    )
    if size == 0:
        return Interval.point(np.ones(shape))
    while size > 1:
        half = size // 2
        paired = bound_mul(_part(flat, slice(0, half)), _part(flat, slice(half, 2 * half)))
        rest = _part(flat, slice(2 * half, size))
        flat = Interval(
            np.concatenate([paired.lower, rest.lower], axis=-1),
            np.concatenate([paired.upper, rest.upper], axis=-1),
        )
        size = half + size % 2
    return Interval(flat.lower[..., 0], flat.upper[..., 0])


def _own_axis(x: Interval, *places: int) -> Interval:
    return Interval(np.expand_dims(x.lower, places), np.expand_dims(x.upper, places))


def bound_dot(a: Interval, b: Interval) -> Interval:
    """Return the range of an inner product."""
    return bound_sum(bound_mul(a, b), axes=(-1,))


def bound_matmul(a: Interval, b: Interval) -> Interval:
    """Return the range of a product of matrices."""
    left, right = _own_axis(a, -1), _own_axis(b, -3)
    shape = np.broadcast_shapes(left.shape, right.shape)
    if math.prod(shape) > LARGEST_PRODUCT:
        return Interval.everything((*shape[:-2], shape[-1]))
    return bound_sum(bound_mul(left, right), axes=(-2,))


def bound_matvec(a: Interval, b: Interval) -> Interval:
    """Return the range of a matrix times a vector."""
    return bound_sum(bound_mul(a, _own_axis(b, -2)), axes=(-1,))


def bound_vecmat(a: Interval, b: Interval) -> Interval:
    """Return the range of a row vector times a matrix."""
    return bound_sum(bound_mul(_own_axis(a, -1), b), axes=(-2,))


def bound_cross(a: Interval, b: Interval) -> Interval:
    """Return the range of a vector product."""

    def element(x: Interval, i: int) -> Interval:
        return Interval(x.lower[..., i], x.upper[..., i])

    found = [
        bound_sub(bound_mul(element(a, j), element(b, k)), bound_mul(element(a, k), element(b, j)))
        for j, k in ((1, 2), (2, 0), (0, 1))
    ]
    return Interval.make(
        np.stack([one.lower for one in found], axis=-1),
        np.stack([one.upper for one in found], axis=-1),
    )


# --- lengths and determinants -----------------------------------------------------------


def _magnitude(x: Interval) -> Interval:
    """Return the range of abs(x)."""
    crosses = (x.lower <= 0) & (x.upper >= 0)
    least = np.minimum(np.abs(x.lower), np.abs(x.upper))
    return Interval.make(
        np.where(crosses, 0.0, least), np.maximum(np.abs(x.lower), np.abs(x.upper))
    )


def bound_norm(x: Interval, *, axes: tuple[int, ...]) -> Interval:
    """Return the range of a Euclidean length."""
    size = _magnitude(x)
    # Of one number it is exact; squares of tiny ones would underflow.
    count = math.prod(x.shape[axis] for axis in axes)
    if count == 1:
        return Interval(np.max(size.lower, axis=axes), np.max(size.upper, axis=axes))
    squares = bound_sum(bound_mul(size, size), axes=axes)
    with np.errstate(all="ignore"):
        root = widen(np.sqrt(limited(squares, 0.0).lower), np.sqrt(squares.upper), 2)
    return limited(root, 0.0)


def bound_det(x: Interval) -> Interval:
    """Return the range of a determinant, by Hadamard's inequality."""
    length = bound_norm(x, axes=(-1,))
    volume = bound_prod(length, axes=(-1,))
    return Interval.make(-volume.upper, volume.upper)


def bound_logdet(x: Interval) -> Interval:
    """Return the range of the log of the absolute value of a determinant."""
    volume = bound_det(x).upper
    with np.errstate(all="ignore"):
        top = widen(volume, np.log(volume), 4).upper
    return Interval.make(np.full(volume.shape, -np.inf), top)


def bound_inv(x: Interval) -> Interval:
    """Return what is known of an inverse: nothing, for the matrix may be near a singular one."""
    return Interval.everything(x.shape)


def bound_solve(a: Interval, b: Interval) -> Interval:
    """Return what is known of a solution: nothing."""
    return Interval.everything((*np.broadcast_shapes(a.shape[:-2], b.shape[:-1]), b.shape[-1]))


def bound_solve_matrix(a: Interval, b: Interval) -> Interval:
    """Return what is known of solutions: nothing."""
    return Interval.everything((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


def bound_cholesky(x: Interval) -> Interval:
    """Return the range of a factor: the squares of a row sum to the element of the diagonal."""
    diagonal = np.diagonal(x.upper, axis1=-2, axis2=-1)
    with np.errstate(all="ignore"):
        root = np.sqrt(np.maximum(diagonal, 0.0))
    size = np.where(np.isfinite(root), root + 4 * np.spacing(root), np.inf)[..., None]
    size = np.broadcast_to(size, x.shape)
    own = np.eye(x.shape[-1], dtype=np.bool_)
    below = np.tril(np.ones(x.shape[-2:], dtype=np.bool_))
    return Interval.make(np.where(own | ~below, 0.0, -size), np.where(below, size, 0.0))


# --- logs of sums -----------------------------------------------------------------------


def bound_logaddexp(a: Interval, b: Interval) -> Interval:
    """Return the range of log(exp(a) + exp(b))."""
    pair = np.broadcast_shapes(a.shape, b.shape)
    stacked = Interval(
        np.stack([np.broadcast_to(x.lower, pair) for x in (a, b)], axis=-1),
        np.stack([np.broadcast_to(x.upper, pair) for x in (a, b)], axis=-1),
    )
    return bound_logsumexp(stacked, axes=(-1,))


def bound_logsumexp(x: Interval, *, axes: tuple[int, ...]) -> Interval:
    """Return the range of a log of a sum of exponentials; it is above the largest element."""
    count = math.prod(x.shape[axis] for axis in axes)

    def value(of: Bound) -> tuple[Bound, Bound]:
        top = np.max(of, axis=axes, keepdims=True, initial=-np.inf)
        shift = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(all="ignore"):
            total = np.log(np.sum(np.exp(of - shift), axis=axes, keepdims=True)) + shift
        top, total = np.squeeze(top, axis=axes), np.squeeze(total, axis=axes)
        finite = np.where(np.isfinite(top), top, 0.0)
        return np.where(np.isfinite(top), total, top), (count + 8) * _EPS * (np.abs(finite) + 1)

    (low, low_error), (high, high_error) = value(x.lower), value(x.upper)
    top = np.max(x.lower, axis=axes, initial=-np.inf)
    found = Interval.make(
        widen(low, low, 1, low_error).lower, widen(high, high, 1, high_error).upper
    )
    return Interval.make(np.maximum(found.lower, top), np.maximum(found.upper, top))


def noisy_or_bounds(
    evaluate: Callable[..., NDArray[np.float64]],
) -> Callable[..., Interval]:
    """Return the range of a noisy-or, which is at most its smallest energy."""

    def bounds(x: Interval, *, axes: tuple[int, ...]) -> Interval:
        count = math.prod(x.shape[axis] for axis in axes)
        energies = limited(x, 0.0)
        with np.errstate(all="ignore"):
            low = evaluate(energies.lower, axes=axes)
            high = evaluate(energies.upper, axes=axes)
            off = count * NOISY_OR_ERROR
            low, high = low * (1 - off), high * (1 + off)
        low = np.where(np.isnan(low), 0.0, low)
        least = np.min(energies.upper, axis=axes, initial=np.inf)
        return Interval.make(
            np.maximum(low, 0.0), np.where(np.isnan(high), least, np.minimum(high, least))
        )

    return bounds


# --- picking elements -------------------------------------------------------------------


def bound_take(x: Interval, index: Interval, *, axis: int) -> Interval:
    """Return the range of elements; of all along the axis, where the index is not known."""
    if index.known:
        places = np.clip(index.lower, 0, x.shape[axis] - 1).astype(np.int64)
        return Interval(np.take(x.lower, places, axis=axis), np.take(x.upper, places, axis=axis))
    axis = axis % len(x.shape)
    any_of = _own_axis(_over(x, axis), *range(axis, axis + len(index.shape)))
    return _spread(any_of, (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def gather_bounds(evaluate: Callable[..., Bound]) -> Callable[..., Interval]:
    """Return the range of elements, each leading position its own, for a `gather`."""

    def bounds(x: Interval, index: Interval, *, rank: int) -> Interval:
        axis = len(x.shape) - rank - 1
        if index.known:
            places = np.clip(index.lower, 0, x.shape[axis] - 1).astype(np.int64)
            return Interval(
                evaluate(x.lower, places, rank=rank), evaluate(x.upper, places, rank=rank)
            )
        loops = np.broadcast_shapes(x.shape[:axis], index.shape)
        return _spread(_over(x, axis), (*loops, *x.shape[axis + 1 :]))

    return bounds


def _over(x: Interval, axis: int) -> Interval:
    return Interval(
        np.min(x.lower, axis=axis, initial=np.inf), np.max(x.upper, axis=axis, initial=-np.inf)
    )


def _spread(x: Interval, shape: tuple[int, ...]) -> Interval:
    return Interval(np.broadcast_to(x.lower, shape), np.broadcast_to(x.upper, shape))
