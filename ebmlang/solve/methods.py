"""The global methods by name: what `method=` and `--method` choose among."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

import torch

from ebmlang.runtime import LeastSquares, Target
from ebmlang.solve.descent.levenberg_marquardt import LevenbergMarquardt
from ebmlang.solve.local import ADAM_STEPS, STEPS, Local
from ebmlang.solve.search.annealing import Annealing
from ebmlang.solve.search.basin_hopping import BasinHopping
from ebmlang.solve.search.cma import CmaEs
from ebmlang.solve.search.method import Search
from ebmlang.solve.search.multistart import Multistart

DEFAULT_METHOD = "multistart"
"""What runs where nobody says."""


COSINE_POWER = 0.45
"""Power of eps that is a small enough cosine between residuals and columns, 1e-7 in float64: the
sum of squares has then all but some eps of what it can lose, which goes as the cosine's square."""

# Any: the state of a search is its own.
Builder: TypeAlias = Callable[[int, Local], Search[Any]]
"""From the number of starts, and how they are brought to rest, to a global method."""


HOPS = 10
"""Rounds that basin hopping is not taken for less than."""


def _multistart(starts: int, local: Local) -> Search[Any]:
    return Multistart(starts=starts, local=local)


def _basin_hopping(starts: int, local: Local) -> Search[Any]:
    return BasinHopping(starts=starts, local=replace(local, repeats=HOPS))


def _annealing(starts: int, local: Local) -> Search[Any]:
    return Annealing(starts=starts, local=local)


def _cma_es(starts: int, local: Local) -> Search[Any]:
    return CmaEs(starts=starts, local=local)


METHODS: Mapping[str, Builder] = MappingProxyType(
    {
        "multistart": _multistart,
        "basin-hopping": _basin_hopping,
        "annealing": _annealing,
        "cma-es": _cma_es,
    }
)
"""Name to method, in the order in which help lists them."""

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "multistart": "many starts spread over the domain, each brought to rest by itself",
        "basin-hopping": "walkers thrown from minimum to minimum: for many minima in some order",
        "annealing": "random walks that cool down, then a descent: for rough energies",
        "cma-es": "populations that learn a valley's shape from values alone: where gradients are "
        "missing or say nothing",
    }
)
"""Name to what a method does, without a final stop."""


def pick_local(target: Target, *, adam_steps: int = ADAM_STEPS, steps: int = STEPS) -> Local:
    """Return how starts are brought to rest: by the residuals where the target has them.

    Args:
        target: What is minimized.
        adam_steps: Steps of Adam before L-BFGS; Levenberg-Marquardt needs none.
        steps: Evaluations of the last descent.
    """
    if isinstance(target, LeastSquares):
        tolerance = torch.finfo(target.dtype).eps ** COSINE_POWER
        method = LevenbergMarquardt(tolerance=tolerance)
        return Local(method=method, adam_steps=0, steps=steps)
    return Local(adam_steps=adam_steps, steps=steps)
