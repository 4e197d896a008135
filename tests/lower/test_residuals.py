"""The residuals of compiled energies: their squares are E, their derivatives its gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.api.rows import bind_rows
from ebmlang.lower.residuals import SquaredEnergy, SquaredRows, find_squares, find_vector
from ebmlang.runtime import LeastSquares, RowTarget
from ebmlang.solve.descent.linearization import differentiate_residuals, linearize
from ebmlang.solve.objective import Lagrangian, differentiate
from ebmlang.spaces import Layout, build_solving_chart, draw_starts
from tests.analysis.test_least_squares import OTHERS, SQUARES

ROUNDING = {"rtol": 1e-9, "atol": 1e-9}
"""Sums of some dozen numbers of moderate size, in float64, and their derivatives."""

POINTS = 6


def squares_of(text: str, data=None, weights=None) -> tuple[SquaredEnergy | None, Layout]:
    model = ebmlang.loads(text).bind(data or {}, weights=weights or {})
    module = compile_model(model)
    return find_squares(module), lay_out(module)


def points_of(layout: Layout) -> torch.Tensor:
    return draw_starts(layout, POINTS, seed=1, dtype=torch.float64, device=torch.device("cpu"))


def objective_of(squares: SquaredEnergy, layout: Layout) -> Lagrangian:
    x = points_of(layout)
    margins = squares.requirements(x)
    random = torch.Generator().manual_seed(0)
    return Lagrangian(
        target=squares,
        chart=build_solving_chart(layout, dtype=torch.float64, device=torch.device("cpu")),
        scale=0.5 + torch.rand(margins.shape, generator=random).double(),
        slack=torch.full_like(margins, 1e-7),
        multipliers=torch.rand(margins.shape, generator=random).double(),
        penalty=torch.full_like(margins, 3.0),
    )


def check_squares(squares: SquaredEnergy, layout: Layout) -> None:
    """E is a constant and the squares; the gradient of all is 2 J^T r."""
    x = points_of(layout)
    constants = (squares.energy(x) - squares.residuals(x).square().sum(1)).numpy()
    np.testing.assert_allclose(constants, constants[0], **ROUNDING)

    objective = objective_of(squares, layout)
    y = objective.chart.from_written(x)
    expected = differentiate(objective.chart, y, objective.value).gradient
    near = linearize(objective, y)
    np.testing.assert_allclose(near.gradient.numpy(), expected.numpy(), **ROUNDING)
    # R^T Q^T r is J^T r too, and R has the lengths of J's columns.
    by_factor = 2 * (near.factor.mT @ near.projected[:, :, None])[:, :, 0]
    np.testing.assert_allclose(by_factor.numpy(), expected.numpy(), **ROUNDING)
    np.testing.assert_allclose(near.factor.norm(dim=1).numpy(), near.columns.numpy(), **ROUNDING)


@pytest.mark.parametrize("name", SQUARES)
def test_a_sum_of_squares_is_its_residuals_squared_and_a_constant(name):
    declarations, term = SQUARES[name]

    squares, layout = squares_of(f"{declarations}\n{term}")

    assert isinstance(squares, LeastSquares)
    check_squares(squares, layout)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_sum_of_squares_offers_no_residuals(name):
    declarations, term = OTHERS[name]
    data = {"k": -1.0} if "given k" in declarations else {}

    logic = "logic godel\n" if name == "godel" else ""
    assert squares_of(f"{logic}{declarations}\n{term}", data)[0] is None


def test_a_weight_that_data_decides_is_known_once_the_data_is():
    text = "var x: real[2]\ngiven k: real\nminimize e: exp(k) * sum((x - 1)^2)"

    squares, layout = squares_of(text, {"k": 1.5})

    assert squares is not None
    check_squares(squares, layout)


def test_weights_bound_to_terms_are_in_the_residuals():
    text = "var x: real\nminimize e: (x - 1)^2 weight 2\nminimize f: x^2"

    squares, _ = squares_of(text, weights={"e": 8.0})

    assert squares is not None
    found = squares.residuals(torch.tensor([[3.0]]).double()).square()
    assert sorted(found[0].tolist()) == pytest.approx([9, 32])


def test_requirements_are_squares_of_the_lagrangian_too():
    text = """
        var x: real[2] in [-2, 2]
        minimize e: sum((x - 1)^2)
        require disc: norm(x) <= 1
        require either: x[0] <= 0 or x[1] <= 0.5
    """

    squares, layout = squares_of(text)

    assert squares is not None
    check_squares(squares, layout)


def test_a_recurrence_has_residuals():
    text = """
        var rate: real in [0, 1]
        given seen: real[6]
        let path = scan s = 1.0 over i in 0..4: s * (1 - rate)
        minimize e: sum((path - seen)^2)
    """

    squares, layout = squares_of(text, {"seen": [1.0, 0.7, 0.5, 0.3, 0.2, 0.1]})

    assert squares is not None
    check_squares(squares, layout)


def test_residuals_behind_a_noisy_or_are_not_offered():
    """Its kernel has a gradient of its own, and no forward derivative."""
    text = """
        var x: real[2]
        spec far(p: real[2]) { prefer out: p[0] >= 1 or p[1] >= 1 }
        part a = far(x)
        minimize e: sum(x^2)
    """

    assert squares_of(text)[0] is None


def test_the_jacobian_does_not_depend_on_how_the_batch_is_split(monkeypatch):
    text = "var x: real[3]\nminimize e: (x[0] - sin(x[1]))^2 + (x[1] * x[2] - 1)^2"
    squares, layout = squares_of(text)
    assert squares is not None
    objective = objective_of(squares, layout)
    y = objective.chart.from_written(points_of(layout))

    whole = linearize(objective, y)
    monkeypatch.setattr("ebmlang.solve.descent.linearization.CHUNK", 1)
    apart = linearize(objective, y)

    torch.testing.assert_close(whole.factor, apart.factor)
    torch.testing.assert_close(whole.projected, apart.projected)


def test_the_jacobian_on_a_sphere_and_a_simplex_is_that_of_autograd():
    text = """
        var d: unit[3]
        var p: simplex[3]
        minimize e: sum((d - [1, 2, 3])^2) + sum((p - d)^2)
    """
    squares, layout = squares_of(text)
    assert squares is not None
    objective = objective_of(squares, layout)
    y = objective.chart.from_written(points_of(layout))

    jacobian = differentiate_residuals(objective, y)

    for row, expected in zip(y, jacobian, strict=True):

        def at(v: torch.Tensor) -> torch.Tensor:
            return squares.residuals(objective.chart.to_written(v[None]))[0]

        torch.testing.assert_close(torch.autograd.functional.jacobian(at, row), expected)
    check_squares(squares, layout)


FACTORS = st.floats(0.125, 8)
MODELS = st.sampled_from(
    ["sin(x[0]) - x[1]", "x[2] * x[0] - 1", "exp(-x[1]^2) + x[2]", "x[0]^3 - x[2]", "cos(x[1])"]
)
TERMS = st.one_of(
    st.builds(lambda f, k, w: f"minimize {{}}: {k} * ({f})^2 weight {w}", MODELS, FACTORS, FACTORS),
    st.builds(lambda f, k: f"prefer {{}}: ({f}) ~ normal(0.5, {k})", MODELS, FACTORS),
    st.builds(lambda f, s: f"prefer {{}}: ({f}) <= 0.25 within {s}", MODELS, FACTORS),
    st.builds(lambda s, w: f"prefer {{}}: x == 0.5 within {s} weight {w}", FACTORS, FACTORS),
    st.builds(lambda k: f"minimize {{}}: mean((x - {k})^2) / {k} + 2", FACTORS),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(TERMS, min_size=1, max_size=4))
def test_sums_of_weighed_squares_keep_their_energy_and_gradient(terms):
    lines = ["var x: real[3] in [-2, 2]"]
    lines += [term.format(f"t{i}") for i, term in enumerate(terms)]

    squares, layout = squares_of("\n".join(lines))

    assert squares is not None
    check_squares(squares, layout)


def test_residuals_by_row_are_those_of_each_row_alone():
    """Also after some points have been dropped, and others taken twice."""
    text = "given a: real[2]\ngiven b: real\nvar x: real[2]\nminimize f: sum((b * x - a)^2) / 2"
    rng = np.random.default_rng(0)
    rows = {"a": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}
    module = compile_model(bind_rows(ebmlang.loads(text).bind(rows)).model)
    vector = find_vector(module)
    assert vector is not None
    columns = tuple(torch.tensor(rows[path]) for path in ("a", "b"))
    x = torch.tensor(rng.normal(size=(4, 2)))
    index = torch.tensor([2, 0, 0, 1])

    taken = SquaredRows(rows=module.over_rows(columns), vector=vector).take(index)

    assert isinstance(taken, LeastSquares)
    assert isinstance(taken, RowTarget)
    expected = (rows["b"][index, None] * x.numpy() - rows["a"][index]) / np.sqrt(2)
    np.testing.assert_allclose(taken.residuals(x).numpy(), expected, **ROUNDING)


def test_squares_that_rows_weigh_offer_no_residuals():
    """A weight that differs from row to row is not one number."""
    text = "given b: real\nvar x: real[2]\nminimize f: exp(b) * sum(x^2)"
    rows = {"b": np.zeros(3)}

    assert find_vector(compile_model(bind_rows(ebmlang.loads(text).bind(rows)).model)) is None


def test_a_large_batch_has_the_residuals_of_each_point_and_their_slopes():
    """It goes in portions: (x_i - a_j)^2 / 2 has the residual (x_i - a_j) / sqrt(2)."""
    text = "given a: real[3]\nvar x: real[400]\nminimize f: sum i in 0..399: sum((x[i] - a)^2) / 2"
    rng = np.random.default_rng(0)
    data = {"a": rng.normal(size=3)}
    squares, _ = squares_of(text, data)
    assert squares is not None
    x, v = (torch.tensor(rng.normal(size=(300, 400))) for _ in range(2))

    found, slopes = torch.func.jvp(squares.residuals, (x,), (v,))

    expected = (x[:, :, None] - torch.tensor(data["a"])).reshape(300, -1) / np.sqrt(2)
    np.testing.assert_allclose(found.abs(), expected.abs(), **ROUNDING)
    along = v[:, :, None].expand(300, 400, 3).reshape(300, -1) / np.sqrt(2)
    np.testing.assert_allclose(slopes.abs(), along.abs(), **ROUNDING)
