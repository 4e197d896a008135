"""The oracle's operators: each one straight from NumPy or SciPy.

Shares nothing with the operator records but the names, so that a wrong record shows.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

Array: TypeAlias = NDArray[Any]
"""Any: float64, int64 or bool, as the operand is."""


def _unlike(a: Array, b: Array) -> Array:
    """Return -log(p_a^2 / (p_a + p_b)); infinite where p_a is zero."""
    if a == math.inf:
        return np.asarray(math.inf)
    return np.asarray(a + np.logaddexp(0.0, a - b))


def _log_bessel_i0(x: Array) -> Array:
    return np.asarray(np.log(special.ive(0, x)) + np.abs(x))


def _log1mexp(x: Array) -> Array:
    return np.where(x < 1.0, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))


def _supported(x: Array, lower: Array, upper: Array, energy: Array) -> Array:
    x, lower, upper, energy = np.broadcast_arrays(x, lower, upper, energy)
    return np.where(np.logical_or(x < lower, x > upper), math.inf, energy)


def _extreme(reduce: Callable[..., Array], empty: float) -> Callable[..., Array]:
    def of(x: Array, *, axes: tuple[int, ...]) -> Array:
        return reduce(x, axis=axes) if x.size else reduce(x, axis=axes, initial=empty)

    return of


def _reshape(x: Array, *, rank: int, shape: tuple[int, ...]) -> Array:
    return np.reshape(x, (*x.shape[: x.ndim - rank], *shape))


def _each(signature: str, function: Callable[..., Any]) -> Callable[..., Array]:
    """Return a function of single vectors and matrices as one that loops over leading axes."""
    return np.vectorize(function, signature=signature)


def _or_nan(function: Callable[..., Array]) -> Callable[..., Array]:
    """Return a function of matrices as one that is nan where there is no result.

    The result has the shape of the last operand.
    """

    def of(*operands: Array) -> Array:
        try:
            return function(*operands)
        except linalg.LinAlgError:
            return np.full(operands[-1].shape, math.nan)

    return of


OPERATIONS: Mapping[str, Callable[..., Any]] = {  # Any: what NumPy returns, scalars too
    # Arithmetic
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "mod": lambda a, b: a - b * np.floor_divide(a, b),
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "minimum": lambda a, b: np.where(a < b, a, b),
    "maximum": lambda a, b: np.where(a > b, a, b),
    # Functions of one number
    "abs": np.abs,
    "sqrt": np.sqrt,
    "square": lambda x: x * x,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "relu": lambda x: np.where(x > 0, x, np.zeros_like(x)),
    "erf": special.erf,
    "lgamma": special.gammaln,
    "floor": np.floor,
    # Behind other forms
    "to_real": lambda x: x.astype(np.float64),
    "to_int": lambda x: x.astype(np.int64),
    "nonnegative": lambda x: x >= 0,
    "log1mexp": _log1mexp,
    "logaddexp": np.logaddexp,
    "log_bessel_i0": _log_bessel_i0,
    "supported": _supported,
    "where": np.where,
    # Energies and densities
    "unlike": _unlike,
    "softmin": lambda *energies: -special.logsumexp(-np.stack(energies)),
    "tempered": lambda energy, temperature: energy / temperature,
    "repel": lambda energy, strength: -strength * energy,
    # Reductions
    "sum": lambda x, *, axes: np.sum(x, axis=axes),
    "prod": lambda x, *, axes: np.prod(x, axis=axes),
    "min": _extreme(np.min, math.inf),
    "max": _extreme(np.max, -math.inf),
    "mean": lambda x, *, axes: np.mean(x, axis=axes),
    "norm": lambda x, *, axes: np.sqrt(np.sum(x**2, axis=axes)),
    "logsumexp": lambda x, *, axes: special.logsumexp(x, axis=axes),
    # Vectors and matrices
    "dot": _each("(n),(n)->()", np.dot),
    "cross": _each("(k),(k)->(k)", np.cross),
    "matmul": _each("(m,n),(n,p)->(m,p)", np.dot),
    "matvec": _each("(m,n),(n)->(m)", np.dot),
    "vecmat": _each("(n),(n,p)->(p)", np.dot),
    "transpose": _each("(m,n)->(n,m)", np.transpose),
    "trace": _each("(n,n)->()", np.trace),
    "det": _each("(n,n)->()", linalg.det),
    "logdet": _each("(n,n)->()", lambda x: np.log(np.abs(linalg.det(x)))),
    "inv": _each("(n,n)->(n,n)", _or_nan(linalg.inv)),
    "solve": _each("(n,n),(n)->(n)", _or_nan(linalg.solve)),
    "solve_matrix": _each("(n,n),(n,k)->(n,k)", _or_nan(linalg.solve)),
    "cholesky": _each("(n,n)->(n,n)", _or_nan(lambda x: linalg.cholesky(x, lower=True))),
    "cumsum": lambda x: np.cumsum(x, axis=-1),
    "sort": lambda x: np.sort(x, axis=-1),
    # Elements moved about, and arrays from nothing
    "reshape": _reshape,
    "expand": lambda x, *, shape: np.broadcast_to(x, shape),
    "stack": lambda *xs, axis: np.stack(xs, axis=axis),
    "concat": lambda *xs, axis: np.concatenate(xs, axis=axis),
    "moveaxis": lambda x, *, source, target: np.moveaxis(x, source, target),
    "zeros": lambda *, shape: np.zeros(shape),
    "ones": lambda *, shape: np.ones(shape),
    "eye": lambda *, size: np.eye(size),
    "linspace": lambda first, last, *, size: np.linspace(first, last, size),
}
"""The value of each operator that a typed program can apply, at one point."""
