"""Operators that only derivatives are made of.

Reverse mode (`passes.gradient`) writes the derivative of a graph with operators of the table. Most
slopes are compositions of what a spec is written with; these are the rest. No spec can call them,
and no analysis meets them: bounds are therefore given only where they cost nothing.
"""

import numpy as np

from ebmlang.lang.facts import Curvature, Rules, Slope, Smoothness
from ebmlang.lang.interval import Interval
from ebmlang.lang.operator import (
    Array,
    Core,
    Family,
    Operator,
    Options,
    Result,
    as_float,
)
from ebmlang.lang.types import Shape

_TERMS = 40
"""Steps of the continued fraction past the size of its argument: enough for float64."""

_FAR = 500.0
"""Where the asymptotic form of the Bessel ratio is as good as float64."""


def _bessel_ratio(x: Array) -> Array:
    """Return I1(x) / I0(x), by Perron's continued fraction, far out by its asymptotic form."""
    x = as_float(x)
    near = np.clip(x, -_FAR, _FAR)
    ratio = np.zeros_like(near)
    for order in range(int(_FAR) + _TERMS, 0, -1):
        ratio = near / (2 * order + near * ratio)
    safe = np.maximum(np.abs(x), 1.0)
    far = 1 - 1 / (2 * safe) * (1 + 1 / (4 * safe) * (1 + 1 / safe))
    return np.where(np.abs(x) < _FAR, ratio, np.sign(x) * far)


def _digamma(x: Array) -> Array:
    # Imported here: only analyses and constants meet it, and a command that needs neither is quick.
    from scipy import special

    return np.asarray(special.digamma(as_float(x)))


def _trigamma(x: Array) -> Array:
    from scipy import special

    return np.asarray(special.polygamma(1, as_float(x)))


def _others(x: Array) -> Array:
    ones = np.ones((*x.shape[:-1], 1), dtype=x.dtype)
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    behind = np.concatenate([ones, x[..., :0:-1]], axis=-1)
    return np.asarray(before * np.cumprod(behind, axis=-1)[..., ::-1])


def _scatter_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    behind = -options["axis"] - 1
    x, index = shapes
    lead = len(x) - behind - len(index)
    return (*x[:lead], options["size"], *x[len(x) - behind :])


def _scatter(x: Array, index: Array, *, axis: int, size: int) -> Array:
    behind = -axis - 1
    lead = x.ndim - behind - index.ndim
    flat = x.reshape(*x.shape[:lead], index.size, *x.shape[x.ndim - behind :])
    result = np.zeros((*x.shape[:lead], size, *x.shape[x.ndim - behind :]), dtype=x.dtype)
    moved = np.moveaxis(result, axis, 0)
    np.add.at(moved, index.reshape(-1), np.moveaxis(flat, axis, 0))
    return result


def _scatter_bounds(x: Interval, index: Interval, *, axis: int, size: int) -> Interval:
    shape = _scatter_shape((x.shape, index.shape), {"axis": axis, "size": size})
    return Interval.everything(tuple(dim for dim in shape if isinstance(dim, int)))


def _sort_by(x: Array, keys: Array) -> Array:
    loops = np.broadcast_shapes(x.shape[:-1], keys.shape[:-1])
    wide, order = (np.broadcast_to(a, (*loops, a.shape[-1])) for a in (x, keys))
    return np.take_along_axis(wide, np.argsort(order, axis=-1, kind="stable"), axis=-1)


def _sort_by_bounds(x: Interval, keys: Interval) -> Interval:
    if keys.known:
        return Interval(_sort_by(x.lower, keys.lower), _sort_by(x.upper, keys.lower))
    shape = np.broadcast_shapes(x.shape, keys.shape)
    lower = np.min(x.lower, axis=-1, keepdims=True, initial=np.inf)
    upper = np.max(x.upper, axis=-1, keepdims=True, initial=-np.inf)
    return Interval(np.broadcast_to(lower, shape), np.broadcast_to(upper, shape))


def _anything(x: Interval) -> Interval:
    return Interval.everything(x.shape)


def _nonnegative(x: Interval) -> Interval:
    return Interval.make(np.zeros(x.shape), np.full(x.shape, np.inf))


def _ratio_bounds(x: Interval) -> Interval:
    return Interval.make(np.full(x.shape, -1.0), np.full(x.shape, 1.0))


_POSITIVE = (0.1, 3.0)

ADJOINTS = (
    Operator(
        name="sign",
        parameters=("x",),
        family=Family.ELEMENTWISE,
        evaluate=lambda x: np.sign(as_float(x)),
        doc="-1, 0 or 1, as x is below, at or above 0: the slope of `abs`",
        facts=Rules(slopes=(Slope.RISING,), smoothness=Smoothness.JUMPS),
        callable_by_name=False,
        region=(_POSITIVE,),
    ),
    Operator(
        name="less_equal",
        parameters=("a", "b"),
        family=Family.ELEMENTWISE,
        evaluate=np.less_equal,
        doc="whether a <= b, infinite ones too",
        facts=Rules(slopes=(Slope.FALLING, Slope.RISING), smoothness=Smoothness.JUMPS),
        result=Result.BOOL,
        callable_by_name=False,
        region=((-3.0, -1.0), (-0.5, 3.0)),
    ),
    Operator(
        name="digamma",
        parameters=("x",),
        family=Family.ELEMENTWISE,
        evaluate=_digamma,
        doc="the slope of `lgamma`",
        facts=Rules(slopes=(Slope.MIXED,), bounds=_anything),
        callable_by_name=False,
        region=(_POSITIVE,),
        source="Abramowitz and Stegun, 6.3",
    ),
    Operator(
        name="trigamma",
        parameters=("x",),
        family=Family.ELEMENTWISE,
        evaluate=_trigamma,
        doc="the slope of `digamma`",
        facts=Rules(slopes=(Slope.MIXED,), bounds=_nonnegative),
        callable_by_name=False,
        region=(_POSITIVE,),
        source="Abramowitz and Stegun, 6.4",
    ),
    Operator(
        name="bessel_ratio",
        parameters=("x",),
        family=Family.ELEMENTWISE,
        evaluate=_bessel_ratio,
        doc="I1(x) / I0(x): the slope of `log_bessel_i0`",
        facts=Rules(slopes=(Slope.RISING,), bounds=_ratio_bounds),
        callable_by_name=False,
        region=((0.1, 3.0),),
        source="Gautschi and Slavik, On the computation of modified Bessel function ratios (1978)",
    ),
    Operator(
        name="others",
        parameters=("x",),
        family=Family.CORE,
        evaluate=_others,
        doc="for each element the product of the others: the slopes of `prod`",
        facts=Rules(slopes=(Slope.MIXED,), bounds=_anything),
        core=Core.parse("(n)->(n)"),
        callable_by_name=False,
        region=((-2.0, 2.0),),
    ),
    Operator(
        name="sort_by",
        parameters=("x", "keys"),
        family=Family.CORE,
        evaluate=_sort_by,
        doc="elements of x in the order in which their keys rise, ties as they stand",
        facts=Rules(
            slopes=(Slope.RISING, Slope.MIXED),
            linear=((0,),),
            bounds=_sort_by_bounds,
            smoothness=Smoothness.JUMPS,
        ),
        core=Core.parse("(n),(n)->(n)"),
        callable_by_name=False,
        region=((-2.0, 2.0), (-2.0, 2.0)),
    ),
    Operator(
        name="scatter",
        parameters=("x", "index"),
        family=Family.STRUCTURAL,
        evaluate=_scatter,
        doc="zeros of `size` along `axis`, with each element added at its index: undoes `take`",
        facts=Rules(
            slopes=(Slope.RISING, Slope.MIXED),
            curvature=Curvature.AFFINE,
            linear=((0,),),
            bounds=_scatter_bounds,
        ),
        result=Result.LIKE,
        shape=_scatter_shape,
        callable_by_name=False,
        region=((-3.0, 3.0),),
    ),
)
"""Operators that no spec can call."""
