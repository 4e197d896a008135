"""Laws about how a spec is compiled, as assertions on a `Case`.

@given(specs())
def test_compiled_specs_have_the_values_of_the_oracle(case):
assert_kernel_matches_oracle(case)
"""

from collections.abc import Sequence

import numpy as np
import torch

from ebmlang.passes import PASSES, Pass
from ebmlang.testing.strategies import Case
from ebmlang.testing.values import Array, Values, by_oracle, by_torch, compiled, graph_of

SHARP = 1e-10
"""float64: some hundred roundings, amplified by powers of up to 12 and small denominators."""

CLOSE = 1e-3
"""float32: the same in its rounding of 6e-8, behind tolerances down to 1/4, which are squared."""

SAME = 1e-13
"""A pass may fold constants in NumPy where torch would have computed them."""


def assert_kernel_matches_oracle(case: Case, *, dtype: torch.dtype = torch.float64) -> None:
    """Assert that a spec, compiled, has the energies, margins and reports of the oracle.

    Args:
        case: The spec with data and points; in float32, with its numbers rounded to that.
        dtype: float64 or float32.

    Raises:
        AssertionError: They differ, with what and where.

    >>> point = {"x": np.float64(3)}
    >>> text = "var x: real prefer low: x <= 1 within 0.5"
    >>> assert_kernel_matches_oracle(Case(text=text, sizes={}, data={}, points=(point,)))
    """
    tolerance = SHARP if dtype is torch.float64 else CLOSE
    assert_same_values(by_torch(case, compiled(case, dtype)), by_oracle(case), tolerance)


def assert_rewrite_keeps_energy(
    rewrite: Pass, case: Case, *, before: Sequence[Pass] | None = None
) -> None:
    """Assert that a pass changes no energy, margin or report of a spec.

    Args:
        rewrite: The pass; it keeps what a graph is made of, real arrays.
        case: The spec with data and points.
        before: The passes that the graph has been through; if None, those before this one in
            the order in which passes run, or all where it is not among them.

    Raises:
        AssertionError: It changes something.
    """
    if before is None:
        before = PASSES[: PASSES.index(rewrite)] if rewrite in PASSES else PASSES
    graph = graph_of(case, before)
    truth = by_torch(case, compiled(case, graph=graph))
    assert_same_values(by_torch(case, compiled(case, graph=rewrite.rewrite(graph))), truth, SAME)


def assert_same_values(found: Values, truth: Values, tolerance: float) -> None:
    """Assert that two evaluations of a case agree, up to a tolerance, absolute and relative.

    Raises:
        AssertionError: They do not.
    """
    pairs = (
        (found.energies, truth.energies),
        (found.margins, truth.margins),
        (found.reports, truth.reports),
    )
    for values, expected in pairs:
        assert list(values) == list(expected)
        for path, value in expected.items():
            assert values[path].shape == value.shape, path
            _assert_close(values[path], value, path, tolerance)
    _assert_close(found.total, truth.total, "the total", tolerance)


def _assert_close(found: Array, truth: Array, what: str, tolerance: float) -> None:
    np.testing.assert_allclose(found, truth, err_msg=what, rtol=tolerance, atol=tolerance)
