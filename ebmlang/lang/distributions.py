"""The distributions that may stand behind `~`: what they take, and what their left side is.

Their energies are written in the language itself, in `std/distributions.ebm`, as functions of
the left side and the parameters under the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ebmlang.lang.types import Sort


@dataclass(frozen=True, slots=True)
class Distribution:
    """A family of densities.

    Attributes:
        name: Its name, and that of its energy in the standard library.
        parameters: Names of its parameters, in Stan's order and meaning.
        ranks: How many axes each parameter has. All zero for an elementwise one, whose left
            side may have any shape to which its parameters broadcast.
        left_sort: REAL, or INT for counts and categories.
        left_rank: How many axes the left side of a multivariate one has; else 0.
        doc: One line for people.
    """

    name: str
    parameters: tuple[str, ...]
    doc: str
    ranks: tuple[int, ...] = ()
    left_sort: Sort = Sort.REAL
    left_rank: int = 0

    @property
    def elementwise(self) -> bool:
        """Whether arrays are taken element by element."""
        return not any(self.ranks)


_ALL = (
    Distribution("normal", ("mean", "sd"), "bell curve"),
    Distribution("student_t", ("df", "location", "scale"), "heavy-tailed bell curve"),
    Distribution("cauchy", ("location", "scale"), "bell curve without a mean"),
    Distribution("laplace", ("location", "scale"), "two-sided exponential"),
    Distribution("logistic", ("location", "scale"), "derivative of the sigmoid"),
    Distribution("uniform", ("lower", "upper"), "flat on an interval"),
    Distribution("exponential", ("rate",), "waiting time"),
    Distribution("gamma", ("shape", "rate"), "sum of waiting times"),
    Distribution("inv_gamma", ("shape", "scale"), "one over a gamma"),
    Distribution("beta", ("a", "b"), "on the unit interval"),
    Distribution("lognormal", ("mean", "sd"), "exp of a normal, whose mean and sd these are"),
    Distribution("half_normal", ("sd",), "absolute value of a centred normal"),
    Distribution("half_cauchy", ("scale",), "absolute value of a centred Cauchy"),
    Distribution("von_mises", ("mean", "concentration"), "on the circle, angles in [-pi, pi]"),
    Distribution("dirichlet", ("concentration",), "on the simplex", (1,), left_rank=1),
    Distribution("mv_normal", ("mean", "covariance"), "vector normal", (1, 2), left_rank=1),
    Distribution("poisson", ("rate",), "counts", left_sort=Sort.INT),
    Distribution("bernoulli", ("probability",), "0 or 1", left_sort=Sort.INT),
    Distribution("binomial", ("trials", "probability"), "successes", left_sort=Sort.INT),
    Distribution("categorical", ("probabilities",), "0, 1, ...", (1,), left_sort=Sort.INT),
)

DISTRIBUTIONS: Mapping[str, Distribution] = MappingProxyType({d.name: d for d in _ALL})
"""Distribution by name."""
