"""Each panel shows the numbers that it is given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from ebmlang.plot.panels.chains import BINS, count_ranks, draw_trace
from ebmlang.plot.panels.ends import draw_ends
from ebmlang.plot.panels.energies import MOST_TERMS, draw_energies
from ebmlang.plot.panels.marginal import draw_marginal
from ebmlang.plot.panels.margins import draw_margins
from ebmlang.plot.panels.parallel import draw_parallel
from ebmlang.plot.panels.plane import draw_cloud, draw_graph, draw_plane, find_limits
from ebmlang.plot.panels.space import turn_flat
from ebmlang.plot.shapes import Form, Shape


@pytest.fixture
def axes():
    return Figure().add_subplot()


def heights(axes):
    """Return the sum of the bars of each design."""
    sums = {}
    for bar in axes.patches:
        number = round(bar.get_x() + bar.get_width() / 2)
        sums[number] = sums.get(number, 0) + bar.get_height()
    return sums


def test_bars_of_terms_add_up_to_the_energy_also_where_terms_differ_in_sign(axes):
    terms = {"a": np.array([1.0, 2.0]), "b": np.array([-3.0, 4.0]), "c": np.array([0.5, -1.0])}

    draw_energies(axes, np.array([-1.5, 5.0]), terms)

    assert heights(axes) == pytest.approx({1: -1.5, 2: 5.0})
    assert axes.get_ylabel() == "energy [nats]"


def test_many_small_terms_share_a_bar(axes):
    terms = {f"t{i}": np.array([float(i + 1)]) for i in range(10)}

    draw_energies(axes, np.array([55.0]), terms)

    labels = axes.get_legend_handles_labels()[1]
    assert len(labels) == MOST_TERMS + 1
    assert "4 others" in labels
    assert heights(axes) == pytest.approx({1: 55.0})


def test_a_single_term_is_drawn_without_bars_so_that_differences_show(axes):
    draw_energies(axes, np.array([-44.3, -41.5]), {"energy": np.array([-44.3, -41.5])})

    assert not axes.patches
    assert axes.get_ylim()[1] < -40


def test_differences_that_mean_nothing_do_not_fill_the_panel(axes):
    draw_energies(axes, 3.125 + np.array([0.0, 1e-11]), {})

    low, high = axes.get_ylim()
    assert high - low > 1e-3


def test_margins_of_all_designs_are_marked_and_the_worst_row_is_first(axes):
    margins = {"fine": np.array([1.0, 2.0]), "broken": np.array([-0.5, 3.0])}

    draw_margins(axes, margins, soft={"fine": 0})

    assert [label.get_text() for label in axes.get_yticklabels()] == ["broken", "fine"]
    points = {(float(x), int(y)) for line in axes.lines[:4] for x, y in line.get_xydata()}
    assert points == {(-0.5, 0), (3.0, 0), (1.0, 1), (2.0, 1)}
    assert axes.get_title() == "margins (squares: required, circles: preferred)"


def test_ends_are_in_order_and_the_best_so_far_falls(axes):
    energies = np.array([np.nan, 5.0, 1.0, 3.0, 2.0])

    draw_ends(axes, energies, np.array([True, True, True, False, True]))

    dots, best = (line.get_xydata() for line in axes.lines[:2])
    np.testing.assert_array_equal(dots, [[1, 0], [2, 1], [3, 4]])
    np.testing.assert_array_equal(best, [[2, 4], [3, 0], [4, 0], [5, 0]])
    assert "2 infeasible" in axes.get_title()


def test_ends_say_where_none_is_feasible(axes):
    draw_ends(axes, np.array([1.0, 2.0]), np.array([False, False]))

    assert [text.get_text() for text in axes.texts] == ["none ended at a feasible point"]


def test_parallel_axes_reach_from_the_least_to_the_greatest(axes):
    draw_parallel(axes, {"x": np.array([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]])})

    designs = [list(line.get_ydata()) for line in axes.lines if line.get_marker() == "o"]
    assert sorted(designs) == [[0.0, 0.5], [0.5, 0.5], [1.0, 0.5]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["x[0]", "x[1]"]
    assert {text.get_text() for text in axes.texts} == {"1", "3", "7"}


def test_a_plane_holds_every_line_and_has_one_scale(axes):
    square = np.array(
        [[[[0.0, 0.0], [2.0, 0.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 3.0], [1.0, 1.0]]]]
    )
    shape = Shape(name="edge_path", form=Form.CURVE, lines=square)

    draw_plane(axes, [shape], 0, find_limits([shape], 1), "design 1", named=True)

    np.testing.assert_array_equal(axes.lines[0].get_xydata(), square[0, 0])
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), square[0, 1])
    assert axes.get_aspect() == 1.0
    assert axes.get_xlim()[0] < 0 < 2 < axes.get_xlim()[1]
    assert axes.get_legend_handles_labels()[1] == ["edge_path"]


def test_limits_of_a_single_point_are_not_empty():
    shape = Shape(name="x", form=Form.POINTS, lines=np.array([[[[2.0, 2.0]]]]))

    (left, right), (bottom, top) = find_limits([shape], 1)

    assert left < 2 < right
    assert bottom < 2 < top


def test_limits_of_designs_that_are_nowhere_are_those_of_an_empty_plane():
    shape = Shape(name="x", form=Form.POINTS, lines=np.array([[[[np.nan, 2.0]]], [[[1.0, 2.0]]]]))

    assert find_limits([shape], 1) == ((-1.0, 1.0), (-1.0, 1.0))


def test_graphs_of_designs_lie_over_each_other_the_best_on_top(axes):
    lines = np.zeros((2, 1, 3, 2))
    lines[:, 0, :, 0] = [0, 1, 2]
    lines[1, 0, :, 1] = 5
    shape = Shape(name="gain_path", form=Form.GRAPH, lines=lines)

    draw_graph(axes, shape, ["design 1", "design 2"])

    assert [line.get_label() for line in axes.lines] == ["design 2", "design 1"]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [5, 5, 5])


def test_a_cloud_of_graphs_has_their_median(axes):
    lines = np.zeros((3, 1, 4, 2))
    lines[:, 0, :, 0] = np.arange(4)
    lines[:, 0, :, 1] = np.array([1.0, 2.0, 30.0])[:, None]

    draw_cloud(axes, Shape(name="fit_path", form=Form.GRAPH, lines=lines))

    assert len(axes.lines) == 4
    np.testing.assert_array_equal(axes.lines[-1].get_ydata(), [2, 2, 2, 2])


def test_the_marginal_marks_the_median_and_the_central_90_percent(axes):
    draw_marginal(axes, "x", np.linspace(0, 100, 1001).reshape(7, 143))

    marked = [line.get_xdata()[0] for line in axes.lines]
    assert marked == pytest.approx([50, 5, 95])
    area = sum(bar.get_width() * bar.get_height() for bar in axes.patches)
    assert area == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "words"),
    [(np.full((2, 5), 3.0), "the same in all draws"), (np.full((2, 5), np.nan), "no finite value")],
)
def test_a_marginal_without_spread_says_so(axes, values, words):
    draw_marginal(axes, "x", values)

    assert words in [axes.get_xlabel(), *(text.get_text() for text in axes.texts)]


def test_traces_are_those_of_the_first_chain_the_last_and_some_between(axes):
    values = np.arange(20.0)[:, None] * np.ones(30)

    draw_trace(axes, "x", values)

    levels = [line.get_ydata()[0] for line in axes.lines]
    assert (levels[0], levels[-1], len(levels)) == (0.0, 19.0, 6)


def test_ranks_of_equal_chains_are_even_within_chance():
    """Shares of 4,000 draws over 20 bins: mean 200, binomial, so an sd of 0.07 in units of 1."""
    shares = count_ranks(np.random.default_rng(1).normal(size=(4, 4000)))

    assert shares.shape == (4, BINS)
    np.testing.assert_allclose(shares.mean(axis=1), 1)
    assert abs(shares - 1).max() < 4.5 * 0.07


def test_ranks_of_constant_draws_are_spread_over_all_chains():
    shares = count_ranks(np.zeros((2, 4000)))

    assert abs(shares - 1).max() < 4.5 * 0.07


def test_points_in_space_are_turned_and_not_bent():
    points = np.random.default_rng(0).normal(size=(6, 3)) * [1, 5, 2]

    turned = turn_flat(points)

    spread = turned.std(axis=0)
    assert spread[0] >= spread[1] >= spread[2]
    gaps = np.linalg.norm(points[:, None] - points, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(turned[:, None] - turned, axis=-1), gaps)
