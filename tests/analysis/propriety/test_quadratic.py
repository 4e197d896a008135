"""Sums of squares, some subtracted, against the eigenvalues of their matrix."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.analysis.propriety.quadratic import range_rows


def matrix_of(squares, size):
    rows = np.array([[row.get(j, 0.0) for j in range(size)] for row, _ in squares])
    return rows.T @ np.diag([factor for _, factor in squares]) @ rows


@given(
    st.lists(
        st.tuples(
            st.tuples(*[st.integers(-2, 2)] * 3), st.sampled_from([-2.0, -1.0, 0.5, 1.0, 3.0])
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_sum_falls_exactly_where_its_matrix_has_a_negative_eigenvalue(drawn):
    squares = [
        ({j: float(c) for j, c in enumerate(row) if c}, factor) for row, factor in drawn if any(row)
    ]
    if not squares:
        squares = [({0: 1.0}, 1.0)]
    form = matrix_of(squares, 3)
    values = np.linalg.eigvalsh(form)

    rows, descent = range_rows(squares, frozenset(range(3)))

    assert (descent is not None) == bool(values[0] < -1e-9)
    if descent is not None:
        d = np.array([descent.get(j, 0.0) for j in range(3)])
        assert d @ form @ d < 0
    else:
        span = np.array([[row.get(j, 0.0) for j in range(3)] for row in rows]).reshape(-1, 3)
        assert np.linalg.matrix_rank(span) == np.sum(values > 1e-9)
        assert np.linalg.matrix_rank(np.vstack([span, form]), tol=1e-9) == len(rows)
