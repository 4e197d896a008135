"""Points to test at, as hypothesis strategies: for a domain, and for all variables of a model.

They come to the bounds too, and shrink towards zeros and whole numbers. A side that is open is
taken to end at `REACH`: beyond it squares and exponentials overflow, which says nothing of a law.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.inputs import Data
from ebmlang.api.load import loads
from ebmlang.api.model import Model
from ebmlang.check.claims import Counted, Property
from ebmlang.lang import DomainKind, Sort, evaluate_dim
from ebmlang.spaces import ConcreteDomain

Array: TypeAlias = NDArray[np.float64]

ALL_DRAWN = 64
"""Largest array of which every element is drawn by itself; of larger ones most are the same."""

REACH = 1e6
"""How far from 0, or from their one bound, numbers are drawn; positive ones from 1 / REACH on."""

STEPS = (1.0, 1 / REACH, float(np.finfo(np.float64).tiny))
"""How far apart ordered numbers are that were drawn equal, the simplest first."""


def states(domain: ConcreteDomain | str) -> st.SearchStrategy[NDArray[Any]]:
    """Draw points of a domain.

    Args:
        domain: As a `property` writes it, or with all numbers known.

    Returns:
        A strategy for arrays of the domain's shape. Any: float64, or int64 or bool where the domain
        is of whole numbers or truth values.

    Raises:
        EbmError: What is wrong with a domain that is a text.
        TypeError: The domain is something else.

    >>> from hypothesis import find
    >>> find(states("real[2] in [-1, 1]"), lambda x: x.sum() > 1).tolist()
    [1.0, 1.0]
    >>> bool(abs(find(states("simplex[3]"), lambda x: x[0] < 0.5).sum() - 1) < 1e-12)
    True
    >>> find(states("int[2] in 0..9"), lambda x: x.sum() > 1).tolist()
    [0, 2]
    """
    match domain:
        case str():
            return _states_of_text(domain)
        case ConcreteDomain():
            return _states_of_reals(domain)
        case _:
            raise TypeError(
                "a domain is a text such as `real[2] in [-1, 1]`, or a `ConcreteDomain`, "
                f"and not of type `{type(domain).__name__}`"
            )


def _states_of_text(domain: str) -> st.SearchStrategy[NDArray[Any]]:
    (claim,) = loads(f"property holds: forall x: {domain}: 0 <= 1").program.claims
    assert isinstance(claim, Property)
    if claim.counted:
        return states_of_counted(claim.counted[0], sizes={})  # without inputs, all are known
    (only,) = domains_of(loads(f"var x: {domain}")).values()
    return _states_of_reals(only)


def states_of_counted(
    counted: Counted, sizes: Mapping[str, int]
) -> st.SearchStrategy[NDArray[Any]]:
    """Draw whole numbers or truth values for a name that a property binds to them."""
    shape = tuple(evaluate_dim(size, sizes) for size in counted.given.type.shape)
    if counted.given.type.sort is Sort.BOOL:
        return truth_values(shape)
    return whole_numbers(shape, find_bounds(counted, sizes))


def find_bounds(counted: Counted, sizes: Mapping[str, int]) -> tuple[int, int] | None:
    """Return the first and the last of the whole numbers that a name is bound to."""
    if counted.bounds is None:
        return None
    first, last = (evaluate_dim(bound, sizes) for bound in counted.bounds)
    return first, last


def _states_of_reals(domain: ConcreteDomain) -> st.SearchStrategy[Array]:
    match domain.kind:
        case DomainKind.REAL:
            return _boxes(domain)
        case DomainKind.POSITIVE:
            return _spread(st.floats(1 / REACH, REACH), domain.shape)
        case DomainKind.ORDERED:
            drawn = _spread(_floats(-REACH, REACH), domain.shape)
            return st.builds(_ordered, st.sampled_from(STEPS), drawn)
        case DomainKind.SIMPLEX:
            return _spread(_floats(0, 1), domain.shape).map(_normalize_sums)
        case DomainKind.UNIT:
            return _spread(_floats(-1, 1), domain.shape).map(_normalize)
        case DomainKind.ROTATION:
            count, rows = (*domain.shape[:-2],), domain.shape[-1]
            numbers = 4 if rows == 3 else 2
            quaternions = _spread(_floats(-1, 1), (*count, numbers)).map(_normalize)
            return quaternions.map(_rotate_space if rows == 3 else _rotate_plane)
        case _:
            raise AssertionError(domain.kind)


def points(model: Model, data: Data = None) -> st.SearchStrategy[dict[str, Array]]:
    """Draw points of a model: a value for every variable, by path.

    Args:
        model: The model.
        data: Bound in addition to what is bound.

    >>> from hypothesis import find
    >>> model = loads("var x: real in [0, 2]")
    >>> float(find(points(model), lambda point: point["x"] > 1)["x"])
    2.0
    """
    domains = domains_of(model.bind(data))
    return st.fixed_dictionaries(
        {path: _states_of_reals(domain) for path, domain in domains.items()}
    )


def domains_of(model: Model) -> dict[str, ConcreteDomain]:
    """Return where each variable of a model lives, by path."""
    layout = lay_out(compile_model(model))
    return {block.path: block.domain for block in layout.blocks}


def corners(domain: ConcreteDomain) -> tuple[Array, ...]:
    """Return the least and the greatest point of a domain, where it has them.

    >>> [corner.tolist() for corner in corners(domains_of(loads("var x: real in [0, 2]"))["x"])]
    [0.0, 2.0]
    """
    match domain.kind:
        case DomainKind.REAL:
            return tuple(side.reshape(domain.shape) for side in _sides(domain))
        case DomainKind.POSITIVE:
            return np.full(domain.shape, 1 / REACH), np.full(domain.shape, REACH)
        case _:
            return ()


def whole_numbers(
    shape: tuple[int, ...], bounds: tuple[int, int] | None
) -> st.SearchStrategy[NDArray[np.int64]]:
    """Draw whole numbers; without bounds, those whose squares are whole numbers of 64 bits too."""
    least, most = bounds or (-(2**31), 2**31)
    return arrays(np.int64, shape, elements=st.integers(least, most), fill=_fill(shape))


def truth_values(shape: tuple[int, ...]) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Draw truth values."""
    return arrays(np.bool_, shape, elements=st.booleans(), fill=_fill(shape))


# --- numbers between bounds ----------------------------------------------------------


def _sides(domain: ConcreteDomain) -> tuple[Array, Array]:
    """Return the bounds of each element, flat; those of open sides are made up."""
    assert domain.lower is not None
    assert domain.upper is not None
    lower, upper = domain.lower.ravel(), domain.upper.ravel()
    finite_lower, finite_upper = np.isfinite(lower), np.isfinite(upper)
    first = np.where(finite_lower, lower, np.where(finite_upper, upper - REACH, -REACH))
    last = np.where(finite_upper, upper, np.where(finite_lower, lower + REACH, REACH))
    return first, last


def _boxes(domain: ConcreteDomain) -> st.SearchStrategy[Array]:
    # Elements with the same bounds are drawn as one array, which hypothesis does well.
    sides, places = np.unique(np.stack(_sides(domain)), axis=1, return_inverse=True)
    places = places.ravel()
    groups = [
        _spread(_floats(float(low), float(high)), (int((places == number).sum()),))
        for number, (low, high) in enumerate(sides.T)
    ]

    def join(drawn: tuple[Array, ...]) -> Array:
        joined = np.empty(domain.size)
        for number, part in enumerate(drawn):
            joined[places == number] = part
        return joined.reshape(domain.shape)

    return st.tuples(*groups).map(join)


def _floats(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_subnormal=False)


def _spread(elements: st.SearchStrategy[float], shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    # Any: `arrays` gives a scalar as a number, not as an array without axes.
    drawn: st.SearchStrategy[Any] = arrays(np.float64, shape, elements=elements, fill=_fill(shape))
    return drawn.map(lambda x: np.asarray(x, dtype=np.float64))


def _fill(shape: tuple[int, ...]) -> st.SearchStrategy[Any] | None:
    """Return what stands where nothing is drawn: in small arrays, all is."""
    return st.nothing() if math.prod(shape) <= ALL_DRAWN else None


# --- manifolds -----------------------------------------------------------------------


def _ordered(step: float, x: Array) -> Array:
    """Return the elements in increasing order; those not above the one before it get a step on."""
    rows = np.sort(x, axis=-1)
    for place in range(1, rows.shape[-1]):
        before, here = rows[..., place - 1], rows[..., place]
        # Of large numbers the next one is further away than a small step.
        above = np.maximum(before + step, np.nextafter(before, math.inf))
        rows[..., place] = np.where(here > before, here, above)
    return rows


def _normalize_sums(x: Array) -> Array:
    """Return vectors as shares of their sum; a vector of zeros as equal shares."""
    total = x.sum(-1, keepdims=True)
    empty = total < 1e-300  # shares of less would not be numbers
    return np.where(empty, 1 / x.shape[-1], x / np.where(empty, 1, total))


def _normalize(x: Array) -> Array:
    """Return vectors scaled to length 1; a vector of zeros as the first axis."""
    largest = abs(x).max(-1, keepdims=True)
    axis = np.zeros(x.shape[-1])
    axis[0] = 1
    # Squares of the scaled elements neither underflow to nothing nor overflow.
    scaled: Array = np.where(largest < 1e-300, axis, x / np.where(largest < 1e-300, 1, largest))
    length: Array = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return scaled / length


def _rotate_plane(x: Array) -> Array:
    cos, sin = x[..., 0], x[..., 1]
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)


def _rotate_space(q: Array) -> Array:
    """Return the rotation of a unit quaternion."""
    w, x, y, z = np.moveaxis(q, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, -1) for row in rows], -2)
