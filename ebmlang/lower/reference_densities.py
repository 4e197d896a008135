"""The oracle's densities: the log density of every distribution, by SciPy.

The compiled path takes them from the standard library, which is written in the language; this
table shares nothing with it but the names and the meaning of the parameters.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array: TypeAlias = NDArray[Any]
"""Any: float64, or int64 for counts."""


def log_density(distribution: str, left: Array, arguments: tuple[Array, ...]) -> float:
    """Return the log density of the left side, summed over its elements.

    >>> round(log_density("normal", np.array([0.0]), (np.array(0.0), np.array(1.0))), 6)
    -0.918939
    """
    return float(np.sum(_LOG_DENSITIES[distribution](left, *arguments)))


def _von_mises(x: Array, mean: Array, concentration: Array) -> Array:
    inside = np.abs(x) <= math.pi
    return np.where(inside, stats.vonmises.logpdf(x, concentration, loc=mean), -math.inf)


def _mv_normal(x: Array, mean: Array, covariance: Array) -> Array:
    return np.asarray(stats.multivariate_normal.logpdf(x, mean=mean, cov=covariance))


def _dirichlet(x: Array, concentration: Array) -> Array:
    if np.any(x < 0):
        return np.asarray(-math.inf)
    # SciPy wants a sum of exactly one; a point moved by a finite difference has left it.
    return np.asarray(
        math.lgamma(float(np.sum(concentration)))
        - math.fsum(math.lgamma(c) for c in concentration)
        + math.fsum(
            0.0 if c == 1.0 else (c - 1.0) * float(np.log(value))
            for c, value in zip(concentration, x, strict=True)
        )
    )


_LOG_DENSITIES: Mapping[str, Callable[..., Array]] = {
    "normal": stats.norm.logpdf,
    "student_t": stats.t.logpdf,
    "cauchy": stats.cauchy.logpdf,
    "laplace": stats.laplace.logpdf,
    "logistic": stats.logistic.logpdf,
    "uniform": lambda x, lower, upper: stats.uniform.logpdf(x, lower, upper - lower),
    "exponential": lambda x, rate: stats.expon.logpdf(x, scale=1 / rate),
    "gamma": lambda x, shape, rate: stats.gamma.logpdf(x, shape, scale=1 / rate),
    "inv_gamma": lambda x, shape, scale: stats.invgamma.logpdf(x, shape, scale=scale),
    "beta": stats.beta.logpdf,
    "lognormal": lambda x, mean, sd: stats.lognorm.logpdf(x, sd, scale=np.exp(mean)),
    "half_normal": lambda x, sd: stats.halfnorm.logpdf(x, scale=sd),
    "half_cauchy": lambda x, scale: stats.halfcauchy.logpdf(x, scale=scale),
    "von_mises": _von_mises,
    "dirichlet": _dirichlet,
    "mv_normal": _mv_normal,
    "poisson": stats.poisson.logpmf,
    "bernoulli": stats.bernoulli.logpmf,
    "binomial": stats.binom.logpmf,
    "categorical": lambda x, probabilities: np.log(probabilities)[x],
}
"""Log density by name, elementwise, of the left side and the parameters in Stan's order."""
