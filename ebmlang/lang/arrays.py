"""Operators on vectors and matrices, and those that only move elements about."""

from collections.abc import Callable

import numpy as np

from ebmlang.lang.array_enclosures import (
    bound_cholesky,
    bound_cross,
    bound_cumsum,
    bound_det,
    bound_dot,
    bound_inv,
    bound_logdet,
    bound_matmul,
    bound_matvec,
    bound_solve,
    bound_solve_matrix,
    bound_take,
    bound_trace,
    bound_vecmat,
    gather_bounds,
)
from ebmlang.lang.facts import Curvature, Facts, Rules, SignOf, Slope, Smoothness
from ebmlang.lang.interval import Interval
from ebmlang.lang.operator import (
    Array,
    Core,
    Family,
    Operator,
    Options,
    Result,
    ShapeError,
    as_float,
    broadcast,
)
from ebmlang.lang.types import Shape


def _core(
    name: str,
    pattern: str,
    evaluate: Callable[..., Array],
    doc: str,
    facts: Facts,
    *,
    parameters: tuple[str, ...] = ("x",),
    result: Result = Result.REAL,
    callable_by_name: bool = True,
) -> Operator:
    return Operator(
        name=name,
        parameters=parameters,
        family=Family.CORE,
        evaluate=evaluate,
        doc=doc,
        facts=facts,
        result=result,
        core=Core.parse(pattern),
        callable_by_name=callable_by_name,
        region=((-2.0, 2.0),) * len(parameters),
    )


def _last(function: Callable[..., Array]) -> Callable[[Array], Array]:
    return lambda x: function(x, axis=-1)


_TWO = ("a", "b")


def _product(bounds: Callable[..., Interval]) -> Rules:
    """Return the facts of a product: linear in each factor."""
    return Rules(slopes=(SignOf(1), SignOf(0)), linear=((0,), (1,)), bounds=bounds)


def _solution(bounds: Callable[..., Interval]) -> Rules:
    """Return the facts of the solution of linear equations: linear in their right side."""
    return Rules(slopes=(Slope.MIXED, Slope.MIXED), linear=((1,),), bounds=bounds)


def _nonlinear(bounds: Callable[..., Interval]) -> Rules:
    return Rules(slopes=(Slope.MIXED,), bounds=bounds)


def _linear(bounds: Callable[..., Interval] | None = None) -> Rules:
    """Return the facts of sums of elements, and of what only moves them."""
    return Rules(slopes=(Slope.RISING,), curvature=Curvature.AFFINE, linear=((0,),), bounds=bounds)


def _picking(bounds: Callable[..., Interval]) -> Rules:
    """Return the facts of taking elements by their index."""
    return Rules(
        slopes=(Slope.RISING, Slope.MIXED),
        curvature=Curvature.AFFINE,
        linear=((0,),),
        bounds=bounds,
    )


CORE = (
    _core("dot", "(n),(n)->()", lambda a, b: np.sum(a * b, axis=-1), "inner product of vectors",
          _product(bound_dot),
          parameters=_TWO, result=Result.SAME),
    _core("cross", "(3),(3)->(3)", np.cross, "vector product in space",
          Rules(slopes=(Slope.MIXED, Slope.MIXED), linear=((0,), (1,)), bounds=bound_cross),
          parameters=_TWO),
    _core("matmul", "(m,n),(n,p)->(m,p)", np.matmul, "matrix times matrix", _product(bound_matmul),
          parameters=_TWO,
          callable_by_name=False),
    _core("matvec", "(m,n),(n)->(m)", lambda a, b: np.matmul(a, b[..., None])[..., 0],
          "matrix times vector", _product(bound_matvec), parameters=_TWO, callable_by_name=False),
    _core("vecmat", "(n),(n,p)->(p)", lambda a, b: np.matmul(a[..., None, :], b)[..., 0, :],
          "row vector times matrix", _product(bound_vecmat), parameters=_TWO,
          callable_by_name=False),
    _core("transpose", "(m,n)->(n,m)", lambda x: np.swapaxes(x, -1, -2), "rows to columns",
          _linear(),
          result=Result.SAME),
    _core("trace", "(n,n)->()", lambda x: np.trace(x, axis1=-2, axis2=-1),
          "sum of the diagonal", _linear(bound_trace), result=Result.SAME),
    _core("det", "(n,n)->()", lambda x: np.linalg.det(as_float(x)), "determinant",
          _nonlinear(bound_det)),
    _core("logdet", "(n,n)->()", lambda x: np.linalg.slogdet(as_float(x))[1],
          "log of the absolute value of the determinant", _nonlinear(bound_logdet)),
    _core("inv", "(n,n)->(n,n)", lambda x: np.linalg.inv(as_float(x)), "inverse matrix",
          _nonlinear(bound_inv)),
    _core("solve", "(n,n),(n)->(n)",
          lambda a, b: np.linalg.solve(as_float(a), as_float(b)[..., None])[..., 0],
          "the x with a @ x == b", _solution(bound_solve), parameters=_TWO),
    _core("solve_matrix", "(n,n),(n,k)->(n,k)",
          lambda a, b: np.linalg.solve(as_float(a), as_float(b)),
          "the matrix x with a @ x == b", _solution(bound_solve_matrix), parameters=_TWO,
          callable_by_name=False),
    _core("cholesky", "(n,n)->(n,n)", lambda x: np.linalg.cholesky(as_float(x)),
          "lower triangular l with l @ transpose(l) == x", _nonlinear(bound_cholesky)),
    _core("cumsum", "(n)->(n)", _last(np.cumsum), "running sums", _linear(bound_cumsum),
          result=Result.SAME),
    _core("sort", "(n)->(n)", _last(np.sort), "elements in rising order",
          Rules(slopes=(Slope.RISING,), smoothness=Smoothness.TIES), result=Result.SAME),
)  # fmt: skip


# --- structural ----------------------------------------------------------------------


def _reshape_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    split = len(shapes[0]) - options["rank"]
    return (*shapes[0][:split], *options["shape"])


def _reshape(x: Array, *, rank: int, shape: tuple[int, ...]) -> Array:
    return x.reshape((*x.shape[: x.ndim - rank], *shape))


def _expand_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    return broadcast(shapes[0], options["shape"])


def _stack_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    if any(shape != shapes[0] for shape in shapes):
        raise ShapeError("the elements differ in shape")
    position = len(shapes[0]) + 1 + options["axis"]
    return (*shapes[0][:position], len(shapes), *shapes[0][position:])


def _concat_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    axis = len(shapes[0]) + options["axis"]
    rests = [(*shape[:axis], *shape[axis + 1 :]) for shape in shapes]
    if any(len(s) != len(shapes[0]) for s in shapes) or any(rest != rests[0] for rest in rests):
        raise ShapeError("the pieces differ in an axis other than the one they are joined along")
    total = shapes[0][axis]
    for shape in shapes[1:]:
        total = total + shape[axis]
    return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def _take_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    position = len(shapes[0]) + options["axis"]
    return (*shapes[0][:position], *shapes[1], *shapes[0][position + 1 :])


def _gather_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    split = len(shapes[0]) - options["rank"] - 1
    return (*broadcast(shapes[0][:split], shapes[1]), *shapes[0][split + 1 :])


def _gather(x: Array, index: Array, *, rank: int) -> Array:
    split = x.ndim - rank - 1
    loops = np.broadcast_shapes(x.shape[:split], index.shape)
    wide = np.broadcast_to(x, (*loops, *x.shape[split:]))
    places = np.broadcast_to(index, loops).reshape(*loops, 1, *(1,) * rank)
    return np.take_along_axis(wide, places, axis=len(loops)).squeeze(len(loops))


def _slice_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    position = len(shapes[0]) + options["axis"]
    size = options["stop"] - options["start"]
    return (*shapes[0][:position], size, *shapes[0][position + 1 :])


def _slice(x: Array, *, axis: int, start: int, stop: int) -> Array:
    return np.take(x, np.arange(start, stop), axis=axis)


def _moveaxis_shape(shapes: tuple[Shape, ...], options: Options) -> Shape:
    rest = list(shapes[0])
    moved = rest.pop(options["source"])
    rest.insert(len(shapes[0]) + options["target"], moved)
    return tuple(rest)


def _structural(
    name: str,
    parameters: tuple[str, ...],
    shape: Callable[[tuple[Shape, ...], Options], Shape],
    evaluate: Callable[..., Array],
    doc: str,
    facts: Facts,
    *,
    callable_by_name: bool = False,
) -> Operator:
    return Operator(
        name=name,
        parameters=parameters,
        family=Family.STRUCTURAL,
        evaluate=evaluate,
        doc=doc,
        facts=facts,
        result=Result.LIKE,
        shape=shape,
        callable_by_name=callable_by_name,
        region=((-3.0, 3.0),),
    )


STRUCTURAL = (
    _structural("reshape", ("x",), _reshape_shape, _reshape,
                "the last `rank` axes as `shape`, elements in C order", _linear(),
                callable_by_name=True),
    _structural("expand", ("x",), _expand_shape,
                lambda x, *, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, shape)),
                "repeated to `shape` by broadcasting", _linear()),
    _structural("stack", ("xs",), _stack_shape, lambda *xs, axis: np.stack(xs, axis=axis),
                "arrays of one shape along a new axis", _linear(), callable_by_name=True),
    _structural("concat", ("xs",), _concat_shape,
                lambda *xs, axis: np.concatenate(xs, axis=axis),
                "arrays end to end along `axis`", _linear(), callable_by_name=True),
    _structural("take", ("x", "index"), _take_shape,
                lambda x, index, *, axis: np.take(x, index, axis=axis),
                "elements of `axis` by integer index, whose axes take its place",
                _picking(bound_take)),
    _structural("gather", ("x", "index"), _gather_shape, _gather,
                "for each leading position its own element: the axis before the last `rank`",
                _picking(gather_bounds(_gather))),
    _structural("moveaxis", ("x",), _moveaxis_shape,
                lambda x, *, source, target: np.moveaxis(x, source, target),
                "axis `source` at the place `target`, the others in their order", _linear()),
    _structural("slice", ("x",), _slice_shape, _slice, "`start` up to, not including, `stop`",
                _linear()),
)  # fmt: skip
