"""A covariance that is singular is a matter of the data: told at the run, with its step."""

import math

import numpy as np
import pytest

from ebmlang import EbmError, loads
from ebmlang.lower.reference_operators import OPERATIONS

TEXT = "given S: real[2, 2]\nvar x: real[2]\nprefer p: x ~ mv_normal(zeros(2), S)\n"
SINGULAR = np.ones((2, 2))


def test_analyses_know_nothing_of_a_factor_that_does_not_exist():
    facts = loads(TEXT).bind({"S": SINGULAR}).analyze()

    assert facts is not None
    assert facts.propriety.bounded_below is not None


@pytest.mark.parametrize("verb", ["solve", "sample"])
def test_a_run_with_a_singular_covariance_names_the_step(verb):
    model = loads(TEXT).bind({"S": SINGULAR})

    with pytest.raises(EbmError) as caught:
        getattr(model, verb)()

    (found,) = caught.value.diagnostics
    assert found.code == "E0707"
    assert any("cholesky" in note for note in found.notes)


@pytest.mark.parametrize("operator", ["inv", "cholesky", "solve", "solve_matrix"])
def test_the_oracle_has_no_number_for_a_singular_matrix(operator):
    more = {"solve": [np.ones(2)], "solve_matrix": [np.ones((2, 3))]}.get(operator, [])
    found = OPERATIONS[operator](SINGULAR, *more)

    assert all(math.isnan(value) for value in found.flat)
