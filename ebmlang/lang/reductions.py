"""Operators that turn an axis, or several, into one value.

Over no elements they return what keeps their law: sum 0, prod 1, min inf, max -inf.
"""

import math
from collections.abc import Callable

import numpy as np

from ebmlang.lang.array_enclosures import (
    bound_logsumexp,
    bound_mean,
    bound_norm,
    bound_prod,
    bound_sum,
    noisy_or_bounds,
)
from ebmlang.lang.elementwise import log1mexp
from ebmlang.lang.facts import Curvature, Envelope, Facts, Rules, SignOf, Slope, Smoothness
from ebmlang.lang.operator import Array, Family, Operator, Result, as_float


def _axes(reduce: Callable[..., Array]) -> Callable[..., Array]:
    return lambda x, *, axes: np.asarray(reduce(x, axis=axes))


def _extreme(reduce: Callable[..., Array], empty: float) -> Callable[..., Array]:
    def evaluate(x: Array, *, axes: tuple[int, ...]) -> Array:
        if x.size == 0:
            return np.asarray(reduce(as_float(x), axis=axes, initial=empty))
        return np.asarray(reduce(x, axis=axes))

    return evaluate


def _logsumexp(x: Array, *, axes: tuple[int, ...]) -> Array:
    x = as_float(x)
    top = np.max(x, axis=axes, keepdims=True, initial=-math.inf)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(x - shift), axis=axes, keepdims=True))
    return np.asarray(np.squeeze(total + shift, axis=axes))


def _noisy_or(energies: Array, *, axes: tuple[int, ...]) -> Array:
    """Return -log(1 - prod(1 - exp(-C))), kept exact for tiny and for huge C.

    With P = prod(1 - exp(-C)): small P from log P directly, else in the telescoping form
    1 - P = sum_i exp(-C_i) prod_{j<i} (1 - exp(-C_j)).
    """
    kept = [i for i in range(energies.ndim) if i - energies.ndim not in axes]
    moved = as_float(energies).transpose(*kept, *[i for i in range(energies.ndim) if i not in kept])
    count = math.prod(energies.shape[axis] for axis in axes)
    flat = moved.reshape(*moved.shape[: len(kept)], count)
    with np.errstate(divide="ignore"):
        logs = log1mexp(flat)
    first = np.zeros((*flat.shape[:-1], 1))
    before = np.concatenate([first, np.cumsum(logs, axis=-1)], axis=-1)
    log_product = before[..., -1]
    far = -_logsumexp(-flat + before[..., :-1], axes=(-1,))
    near = -np.log1p(-np.exp(np.minimum(log_product, -math.log(2.0))))
    return np.where(log_product < -math.log(2.0), near, far)


def _reduction(
    name: str,
    evaluate: Callable[..., Array],
    doc: str,
    facts: Facts,
    *,
    result: Result = Result.REAL,
    callable_by_name: bool = True,
    region: tuple[float, float] = (-3.0, 3.0),
    source: str = "",
) -> Operator:
    return Operator(
        name=name,
        parameters=("x",),
        family=Family.REDUCTION,
        evaluate=evaluate,
        doc=doc,
        facts=facts,
        result=result,
        callable_by_name=callable_by_name,
        region=(region,),
        source=source,
    )


_RISES = (Slope.RISING,)
_ALL = ((0,),)

REDUCTIONS = (
    _reduction(
        "sum",
        _axes(np.sum),
        "sum",
        Rules(slopes=_RISES, curvature=Curvature.AFFINE, linear=_ALL, bounds=bound_sum),
        result=Result.SAME,
    ),
    _reduction(
        "prod",
        _axes(np.prod),
        "product",
        Rules(slopes=(Slope.MIXED,), bounds=bound_prod),
        result=Result.SAME,
    ),
    _reduction(
        "min",
        _extreme(np.min, math.inf),
        "smallest element",
        Rules(
            slopes=_RISES,
            curvature=Curvature.CONCAVE,
            envelope=Envelope.MIN,
            smoothness=Smoothness.TIES,
        ),
        result=Result.SAME,
    ),
    _reduction(
        "max",
        _extreme(np.max, -math.inf),
        "largest element",
        Rules(
            slopes=_RISES,
            curvature=Curvature.CONVEX,
            envelope=Envelope.MAX,
            smoothness=Smoothness.TIES,
        ),
        result=Result.SAME,
    ),
    _reduction(
        "mean",
        _axes(np.mean),
        "arithmetic mean",
        Rules(slopes=_RISES, curvature=Curvature.AFFINE, linear=_ALL, bounds=bound_mean),
    ),
    _reduction(
        "norm",
        lambda x, *, axes: np.sqrt(np.sum(np.square(as_float(x)), axis=axes)),
        "Euclidean length; of a matrix, the Frobenius norm",
        Rules(
            slopes=(SignOf(0),),
            curvature=Curvature.CONVEX,
            bounds=bound_norm,
            smoothness=Smoothness.TIES,
        ),
    ),
    _reduction(
        "logsumexp",
        _logsumexp,
        "log of the sum of exponentials",
        Rules(
            slopes=_RISES,
            curvature=Curvature.CONVEX,
            bounds=bound_logsumexp,
            envelope=Envelope.MAX,
        ),
        callable_by_name=False,
    ),
    _reduction(
        "noisy_or",
        _noisy_or,
        "-log(1 - prod(1 - exp(-C))): the OR of the `product` logic on energies",
        Rules(slopes=_RISES, bounds=noisy_or_bounds(_noisy_or), envelope=Envelope.MIN),
        callable_by_name=False,
        region=(0.1, 3.0),
        source="Pearl, Probabilistic Reasoning in Intelligent Systems, section 4.3.2",
    ),
)
