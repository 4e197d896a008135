"""One spec, many rows of data: each answered as if it were alone."""

import signal

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang import EbmError
from ebmlang.api import solve_each
from ebmlang.api.rows import bind_rows
from ebmlang.api.solve_each import find_row_problems
from ebmlang.runs.answers import RowStatus
from ebmlang.runtime import Deadline

SAME = 1e-6
"""How close an answer must be to that of the row alone, or to the exact one."""

PUSHED = """
given a: real[2]
given most: real
var x: real[2] in [-10, 10]
minimize f: sum((x - a)^2)
require s: sum(x) <= most
report d = x[0] - x[1]
"""


def push(a: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the points nearest to `a` whose sum is at most `most`."""
    excess = (a.sum(1) - most).clip(min=0)
    return a - excess[:, None] / 2


def pushed_rows(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"a": rng.normal(size=(count, 2)), "most": rng.normal(size=count)}


def codes(error: EbmError) -> list[str]:
    return [diagnostic.code for diagnostic in error.diagnostics]


@pytest.mark.slow
def test_three_hundred_least_squares_are_those_of_lapack():
    rng = np.random.default_rng(1)
    t = np.linspace(-1, 1, 7)
    y = rng.normal(size=(300, 7))
    model = ebmlang.loads(
        "given t: real[7]\ngiven y: real[7]\nvar c: real[4] in [-50, 50]\n"
        "minimize f: sum((c[0] + c[1] * t + c[2] * t^2 + c[3] * t^3 - y)^2)"
    )

    answers = model.solve_each({"t": t, "y": y})

    exact, *_ = np.linalg.lstsq(np.vander(t, 4, increasing=True), y.T)
    assert (answers.status == RowStatus.SOLVED).all()
    np.testing.assert_allclose(answers.variables["c"], exact.T, atol=SAME)


@pytest.mark.slow
def test_every_row_meets_its_own_requirement_at_the_nearest_point():
    rows = pushed_rows(200)

    answers = ebmlang.loads(PUSHED).solve_each(rows)

    exact = push(rows["a"], rows["most"])
    assert answers.feasible.all()
    assert (answers.variables["x"].sum(1) <= rows["most"]).all()
    np.testing.assert_allclose(answers.variables["x"], exact, atol=SAME)
    np.testing.assert_allclose(answers.reports["d"], exact[:, 0] - exact[:, 1], atol=2 * SAME)


@pytest.mark.slow
def test_a_row_s_answer_is_that_of_its_own_solve():
    """Also where there are several minima, of which the starts decide."""
    model = ebmlang.loads(
        "given a: real\ngiven b: real\nvar x: real[4] in [-3, 3]\n"
        "minimize f: sum((x^2 - a)^2) + b * x[0] * x[1] + a * x[2] * x[3]\n"
        "require apart: x[0] - x[3] >= b"
    )
    rng = np.random.default_rng(4)
    rows = {"a": rng.uniform(0.5, 2, 200), "b": rng.normal(size=200)}

    answers = model.solve_each(rows, seed=5)

    for row in range(0, 200, 40):
        alone = model.solve({p: v[row] for p, v in rows.items()}, starts=8, seed=5)[0]
        assert answers.energy[row] == pytest.approx(alone.energy, abs=SAME)
        np.testing.assert_allclose(answers.variables["x"][row], alone.variables["x"], atol=SAME)


VALLEY = """
given t: real[6]
given y: real[6]
given most: real
var scale: real in [0, 3]
var rate: real in [0, most]
var offset: real in [-2, 2]
var slope: real in [-1, 1]
minimize misfit: sum((scale * exp(-rate * t) + offset + slope * t - y)^2)
"""


@pytest.mark.slow
def test_a_row_of_squares_rests_where_its_own_solve_does():
    """In a flat valley only the same method ends at the same place: energies leave it open.

    L-BFGS would rest 3e-6 away in row 15.
    """
    rng = np.random.default_rng(7)
    t, most = np.linspace(0, 1, 6), rng.uniform(0.3, 4, 24)
    rate, scale = rng.uniform(0.1, 2, (24, 1)), rng.uniform(0.5, 2, (24, 1))
    y = scale * np.exp(-rate * t) + 0.02 * rng.normal(size=(24, 6))
    model = ebmlang.loads(VALLEY)

    answers = model.solve_each({"t": t, "y": y, "most": most})

    for row in (10, 15, 16, 19, 21):
        alone = model.solve({"t": t, "y": y[row], "most": most[row]}, starts=8, designs=1)[0]
        for path, value in alone.variables.items():
            assert answers.variables[path][row] == pytest.approx(value, abs=SAME), (row, path)


@pytest.mark.slow
def test_a_row_that_cannot_be_solved_does_not_change_the_others():
    rows = pushed_rows(12)
    spoiled = {path: value.copy() for path, value in rows.items()}
    spoiled["a"][3, 1] = np.nan
    spoiled["most"][5] = -50  # below the least sum that the bounds leave
    spoiled["most"][7] = np.inf
    model = ebmlang.loads(PUSHED)

    answers, others = model.solve_each(spoiled), model.solve_each(rows)

    kept = np.delete(np.arange(12), [3, 5, 7])
    assert answers.find(RowStatus.BAD_DATA).tolist() == [3, 7]
    assert answers.find(RowStatus.INFEASIBLE).tolist() == [5]
    assert np.isnan(answers.variables["x"][[3, 7]]).all()
    np.testing.assert_array_equal(answers.variables["x"][kept], others.variables["x"][kept])


def test_the_nearest_point_of_a_row_does_not_depend_on_other_rows():
    """Nearest in tolerances, though the first requirement is a hundred times as steep."""
    model = ebmlang.loads(
        "given g: real\nvar x: real[1] in [-5, 5]\n"
        "require left: 100 * x[0] <= g - 4\nrequire right: x[0] >= 1\n"
    )

    alone = model.solve_each(data={"g": np.array([2.0])})
    beside = model.solve_each(data={"g": np.array([2.0, 400.0])})

    np.testing.assert_allclose(beside.variables["x"][0], alone.variables["x"][0], atol=SAME)


def test_an_infeasible_row_has_its_nearest_point():
    answers = ebmlang.loads(PUSHED).solve_each({"a": [[0, 0], [1, 1]], "most": [-50, 3]})

    assert answers.status.tolist() == [RowStatus.INFEASIBLE, RowStatus.SOLVED]
    np.testing.assert_allclose(answers.variables["x"][0], [-10, -10])


def test_a_row_whose_energy_is_finite_nowhere_is_told_apart_with_its_term():
    model = ebmlang.loads("given a: real\nvar x: real in [0, 1]\nminimize f: (x - log(a))^2")
    rows = {"a": [1.0, -1.0, 2.0]}

    answers = model.solve_each(rows)
    (problem,) = find_row_problems(model.bind(rows), answers)

    assert answers.status.tolist() == [RowStatus.SOLVED, RowStatus.NOT_FINITE, RowStatus.SOLVED]
    np.testing.assert_allclose(answers.variables["x"][[0, 2]], [0, np.log(2)], atol=SAME)
    assert problem.code == "E0707"
    assert "row 1" in problem.headline
    assert problem.primary is not None


def test_a_tolerance_that_is_not_positive_spoils_only_its_row():
    model = ebmlang.loads("given s: real\nvar x: real in [0, 1]\nprefer f: x >= 2 within s")
    rows = {"s": [1.0, 0.0, 2.0]}

    answers = model.solve_each(rows)
    (problem,) = find_row_problems(model.bind(rows), answers)

    assert answers.status.tolist() == [RowStatus.SOLVED, RowStatus.BAD_DATA, RowStatus.SOLVED]
    # Short by 1, at x = 1: half the square of 1 / s.
    np.testing.assert_allclose(answers.energy[[0, 2]], [1 / 2, 1 / 8])
    assert problem.code == "E0704"
    assert any("row 1 of 3" in note for note in problem.notes)


BOUNDED = """
given low: real
given high: real
given pull: real[3]
var both: real in [low, high]
var above: real in [low, inf]
var below: real in [-inf, high]
var shared: real in [-1, 1]
minimize f: (both - pull[0])^2 + (above - pull[1])^2 + (below - pull[2])^2 + (shared - pull[0])^2
"""


def test_bounds_by_row_are_met_exactly():
    rng = np.random.default_rng(2)
    low, high = rng.uniform(-3, 0, 30), rng.uniform(0, 3, 30)
    pull = rng.uniform(-4, 4, (30, 3))

    found = ebmlang.loads(BOUNDED).solve_each({"low": low, "high": high, "pull": pull}).variables

    for path, lower, upper, place in (
        ("both", low, high, 0),
        ("above", low, np.inf, 1),
        ("below", -np.inf, high, 2),
        ("shared", -1, 1, 0),
    ):
        exact = pull[:, place].clip(lower, upper)
        at_bound = exact != pull[:, place]
        np.testing.assert_allclose(found[path], exact, atol=SAME)
        np.testing.assert_array_equal(found[path][at_bound], exact[at_bound])


def test_bounds_without_room_spoil_only_their_row():
    model = ebmlang.loads(BOUNDED)
    rows = {"low": [0.0, 2.0], "high": [1.0, 1.0], "pull": np.zeros((2, 3))}

    answers = model.solve_each(rows)
    (problem,) = find_row_problems(model.bind(rows), answers)

    assert answers.status.tolist() == [RowStatus.SOLVED, RowStatus.BAD_DATA]
    assert problem.code == "E0318"


def test_a_bound_that_is_infinite_in_one_row_alone_cannot_vary():
    model = ebmlang.loads("given a: real\nvar x: real in [0, 1 / a]\nminimize f: (x - 0.1)^2")
    rows = {"a": [1.0, 0.0]}

    answers = model.solve_each(rows)
    (problem,) = find_row_problems(model.bind(rows), answers)

    assert answers.status.tolist() == [RowStatus.SOLVED, RowStatus.BAD_DATA]
    assert problem.code == "E0721"


def test_a_bound_may_be_infinite_in_some_elements():
    model = ebmlang.loads(
        "given a: real\nvar x: real[2] in [[-inf, a], [a, inf]]\nminimize f: sum((x - 1)^2)"
    )

    answers = model.solve_each({"a": [0.0, 2.0]})

    np.testing.assert_allclose(answers.variables["x"], [[0, 1], [1, 2]], atol=SAME)


def test_a_table_without_a_row_that_can_be_read_is_answered_all_the_same():
    answers = ebmlang.loads(BOUNDED).solve_each(
        {"low": [np.nan, np.nan], "high": [1, 2], "pull": np.zeros((2, 3))}
    )

    assert answers.status.tolist() == [RowStatus.BAD_DATA] * 2


def test_arrays_without_elements_may_come_from_rows():
    model = ebmlang.loads(
        "given y: real[N]\nvar x: real in [-1, 1]\nminimize f: x^2 + sum((x - y)^2)"
    )

    answers = model.solve_each({"y": np.zeros((2, 0))})

    np.testing.assert_allclose(answers.variables["x"], [0, 0], atol=SAME)


@pytest.mark.parametrize(
    "domain", ["simplex[3]", "unit[3]", "ordered[3]", "positive[3]", "real[3]"]
)
def test_every_domain_is_searched_by_row(domain):
    """The nearest point of the domain to one that lies in it, and to one outside it."""
    model = ebmlang.loads(f"given a: real[3]\nvar x: {domain}\nminimize f: sum((x - a)^2)")
    inside = {
        "simplex[3]": [0.2, 0.3, 0.5],
        "unit[3]": [0.6, 0.0, 0.8],
        "ordered[3]": [-1, 0, 2],
        "positive[3]": [1, 2, 3],
        "real[3]": [-5, 0, 5],
    }[domain]
    outside = {
        "simplex[3]": ([1.0, 0.0, -1.0], [1, 0, 0]),
        "unit[3]": ([0.0, 3.0, 4.0], [0, 0.6, 0.8]),
        "ordered[3]": ([0.0, 2.0, 1.0], [0, 1.5, 1.5]),
        "positive[3]": ([1.0, 4.0, 2.0], [1, 4, 2]),
        "real[3]": ([1.0, 4.0, 2.0], [1, 4, 2]),
    }[domain]

    answers = model.solve_each({"a": [inside, outside[0]]})

    np.testing.assert_allclose(answers.variables["x"], [inside, outside[1]], atol=SAME)


def test_rows_are_solved_in_inference_mode_too():
    rows = {"low": [-1.0, -2.0], "high": [1.0, 0.0], "pull": np.ones((2, 3))}

    with torch.inference_mode():
        answers = ebmlang.loads(BOUNDED).solve_each(rows)

    np.testing.assert_allclose(answers.variables["both"], [1, 0], atol=SAME)


def test_rows_are_solved_in_float32_too():
    rows = pushed_rows(4)

    answers = ebmlang.loads(PUSHED).solve_each(rows, dtype=torch.float32)

    assert answers.feasible.all()
    # Margins are aimed at 1e-4 above zero, which float32 can tell from zero.
    np.testing.assert_allclose(answers.variables["x"], push(rows["a"], rows["most"]), atol=1e-3)


def test_a_default_stands_for_no_row():
    """What holds for the default alone must not be taken for a fact of all rows."""
    model = ebmlang.loads(
        "given k: real = -5\nvar x: real in [0, 1]\nminimize f: x\nrequire r: x <= k"
    )

    answers = model.solve_each({"k": [0.5, 1.0]})

    assert answers.feasible.all()


def test_what_rows_do_not_say_is_shared_by_all():
    model = ebmlang.loads(
        "given w: real[N]\ngiven a: real\nvar x: real in [-9, 9]\nminimize f: (x - a * sum(w))^2"
    )

    answers = model.solve_each({"w": [1, 2], "a": [1, 2, 3]})

    np.testing.assert_allclose(answers.variables["x"], [3, 6, 9], atol=SAME)


def test_columns_of_elements_are_one_array(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("most,a[1],a[0]\n9,1,2\n9,3,4\n")

    answers = ebmlang.loads(PUSHED).solve_each(file)

    np.testing.assert_allclose(answers.variables["x"], [[2, 1], [4, 3]], atol=SAME)


@pytest.mark.parametrize(
    ("text", "rows", "code"),
    [
        (PUSHED, {"a": np.zeros((3, 2)), "most": np.zeros(2)}, "E0702"),
        (PUSHED, {"a": np.zeros((3, 3)), "most": np.zeros(3)}, "E0702"),
        (PUSHED, {"a": np.zeros(2), "most": 0}, "E0702"),
        (PUSHED, {"a": np.zeros((0, 2)), "most": np.zeros(0)}, "E0702"),
        (PUSHED, {"a[0]": np.zeros(3), "a[2]": np.zeros(3), "most": 0}, "E0702"),
        (PUSHED, {"a": np.zeros((3, 2))}, "E0701"),
        ("given a: real\nminimize f: a^2", {"a": [1, 2]}, "E0708"),
        (
            "given y: real[N]\nvar x: real[N]\nminimize f: sum((x - y)^2)",
            {"y": np.zeros((2, 3)), "N": [3, 3]},
            "E0702",
        ),
        (PUSHED, {"a": np.zeros((3, 2)), "most": 0, "b": 1}, "E0705"),
        ("given n: int\nvar x: real in [0, n]\nminimize f: x", {"n": [[1], [2]]}, "E0702"),
        (
            "given i: int\ngiven y: real[3]\nvar x: real in [0, 1]\nminimize f: (x - y[i])^2",
            {"i": [0, 1], "y": [1, 2, 3]},
            "E0721",
        ),
        (
            "given a: real\nvar x: real in [-4, 4]\n"
            "prefer f: normalize(energy((x - a)^2)) or x ~ normal(0, 1)",
            {"a": [0, 1]},
            "E0721",
        ),
    ],
    ids=[
        "columns of two lengths",
        "elements of another number",
        "no rows at all",
        "a table without a row",
        "an element that is missing",
        "a given without data",
        "nothing to find",
        "a size by row",
        "data of no given",
        "two axes too many",
        "an index",
        "the inside of a normalize",
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_anything_runs(text, rows, code):
    with pytest.raises(EbmError) as raised:
        ebmlang.loads(text).solve_each(rows)

    assert codes(raised.value) == [code]


@pytest.mark.slow
def test_a_normalizer_that_no_row_touches_is_shared():
    model = ebmlang.loads(
        "given a: real\nvar x: real in [-4, 4]\n"
        "prefer f: normalize(energy(x^2 / 2)) or x ~ normal(0, 1)\nprefer g: x ~ normal(a, 0.01)"
    )
    rows = {"a": [0.5, -1.0]}

    answers = model.solve_each(rows)

    for row, a in enumerate(rows["a"]):
        alone = model.solve({"a": a}, starts=8)[0]
        assert answers.energy[row] == pytest.approx(alone.energy, abs=SAME)


def test_sizes_are_those_of_a_row():
    table = bind_rows(
        ebmlang.loads("given y: real[N]\nvar x: real[N]\nminimize f: sum((x - y)^2)").bind(
            {"y": np.zeros((5, 3))}
        )
    )

    assert table.count == 5
    assert table.alone(2).data["y"].shape == (3,)


def test_a_search_that_is_cut_short_does_not_say_that_a_row_is_infeasible(monkeypatch):
    """The time is over after the first look at it, before any point holds the requirement."""
    model = ebmlang.loads(
        "given a: real\nvar x: real[2] in [-10, 10]\n"
        "minimize f: sum(x^2)\nrequire r: x[0] * x[1] >= a"
    )
    looks = iter([False, *[True] * 1000])
    monkeypatch.setattr(Deadline, "is_over", lambda _: next(looks))

    answers = model.solve_each({"a": [99.9, 99.9]}, starts=1)

    assert answers.status.tolist() == [RowStatus.UNFINISHED] * 2
    assert not answers.feasible.any()
    assert answers.reason == "the time is spent"


class _Interrupting:
    """A progress that presses Ctrl-C when the first chunk is done."""

    def started(self, total: int, text: str) -> None:
        """Say nothing."""

    def advance(self, count: int, text: str) -> None:
        """Press Ctrl-C."""
        signal.raise_signal(signal.SIGINT)

    def finished(self, text: str) -> None:
        """Say nothing."""


def test_ctrl_c_keeps_the_rows_that_are_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(solve_each, "choose_chunk", lambda starts, dim: 4)
    out = tmp_path / "answers.csv"

    answers = ebmlang.loads(PUSHED).solve_each(pushed_rows(12), out=out, progress=_Interrupting())

    assert answers.interrupted
    assert answers.status.tolist() == [RowStatus.SOLVED] * 4 + [RowStatus.NOT_REACHED] * 8
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["row", *"0123"]


def test_time_that_is_spent_leaves_rows_not_reached(monkeypatch):
    monkeypatch.setattr(solve_each, "choose_chunk", lambda starts, dim: 4)

    answers = ebmlang.loads(PUSHED).solve_each(pushed_rows(12), seconds=1e-9)

    assert (answers.status == RowStatus.NOT_REACHED).all()
    assert answers.reason == "the time is spent"


@pytest.mark.slow
def test_answers_do_not_depend_on_how_rows_are_put_together(monkeypatch):
    rows = pushed_rows(5)
    whole = ebmlang.loads(PUSHED).solve_each(rows)
    monkeypatch.setattr(solve_each, "choose_chunk", lambda starts, dim: 2)

    answers = ebmlang.loads(PUSHED).solve_each(rows)

    np.testing.assert_allclose(answers.variables["x"], whole.variables["x"], atol=1e-9)
    assert answers.status.tolist() == whole.status.tolist()
