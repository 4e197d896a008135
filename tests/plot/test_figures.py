"""Which panels a figure has, and what is said where there is nothing to draw."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ebmlang.api.load import loads
from ebmlang.plot import plot_designs, plot_run, plot_samples, write_figure
from ebmlang.runs import open_run
from ebmlang.runs.plain import show_json
from ebmlang.source import EbmError
from tests.plot.found import drawn, solved

JUDGED = ["energy, by term", "margins (squares: required, circles: preferred)"]
ENDS = "where 4 starts ended; 1 infeasible"


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]


def refusal(call):
    with pytest.raises(EbmError) as caught:
        call()
    return caught.value.diagnostics[0]


def test_designs_without_geometry_are_lines_over_parallel_axes():
    figure = plot_designs(solved(), name="desk.json")

    assert figure.get_suptitle() == "desk.json: 3 designs, solved"
    lead = "designs, each axis from its least to its greatest"
    assert titles(figure) == [lead, *JUDGED, ENDS]


def test_geometry_takes_the_place_of_parallel_axes():
    run = solved(reports={"arm_path": np.random.default_rng(0).normal(size=(3, 4, 2))})

    found = titles(plot_designs(run))

    assert found[:3] == ["design 1, energy 1", "design 2, energy 2", "design 3, energy 3"]
    assert found[3:] == [*JUDGED, ENDS]


def test_each_graph_has_a_panel_of_its_own():
    curve = np.zeros((3, 5, 2))
    curve[:, :, 0] = np.arange(5)

    reports = {"gain_path": curve, "loss_path": -2 * curve[:, :, 0]}
    found = titles(plot_designs(solved(reports=reports)))

    assert found == ["gain_path", "loss_path", *JUDGED, ENDS]


def test_atoms_are_drawn_in_space():
    run = solved(variables={"atoms": np.random.default_rng(0).normal(size=(3, 5, 3))})

    assert titles(plot_designs(run))[:2] == ["design 1, energy 1", "design 2, energy 2"]


def test_a_result_without_designs_shows_the_point_nearest_to_one():
    figure = plot_designs(solved(count=1, nearest=True))

    assert figure.get_suptitle() == "no design; the point nearest to one"


def test_draws_have_marginals_and_the_chains_of_the_worst():
    figure = plot_samples(drawn())

    found = titles(figure)
    assert found[0] == "fit_path, 200 draws"
    assert found[1:5] == ["energy", "x[0]", "x[1]", "bad"]
    assert found[5:] == ["bad, 4 chains", "ranks of bad"]


def test_only_what_is_asked_for_is_drawn():
    assert titles(plot_samples(drawn(), quantities=["x[1]"])) == [
        "x[1]",
        "x[1], 4 chains",
        "ranks of x[1]",
    ]


def test_an_unknown_quantity_is_refused_with_the_one_that_is_meant():
    for call in (
        lambda: plot_designs(solved(variables={"lamp": np.zeros((3, 2))}), quantities=["lmap"]),
        lambda: plot_samples(
            replace(drawn(), variables={"lamp": np.zeros((4, 50))}), quantities=["lmap"]
        ),
    ):
        diagnostic = refusal(call)
        assert diagnostic.code == "E0920"
        assert diagnostic.helps == ("did you mean `lamp`?",)


def test_nothing_at_all_is_not_drawn():
    assert refusal(lambda: plot_designs(solved(count=0))).code == "E0820"
    empty = drawn(draws=0)
    assert refusal(lambda: plot_samples(empty)).code == "E0820"


@pytest.mark.parametrize(
    "text", ["no JSON", "3", "[]", '{"x": 1}', '{"variables": {"x": "a"}, "energies": [[1]]}']
)
def test_a_file_that_is_no_run_is_not_drawn(tmp_path, text):
    file = tmp_path / "file.json"
    file.write_text(text)

    assert refusal(lambda: plot_run(file)).code == "E0820"


def test_a_file_that_is_not_there_is_missing(tmp_path):
    assert refusal(lambda: plot_run(tmp_path / "none.json")).code == "E0801"
    assert refusal(lambda: plot_run(tmp_path / "none.run")).code == "E0806"


@pytest.mark.slow
def test_a_run_is_drawn_the_same_from_memory_from_its_folder_and_from_a_file(tmp_path):
    model = loads("var x: real[2] ~ normal(0, 1)\nreport far = norm(x)\n", name="normal.ebm")
    samples = model.sample(chains=4, draws=20, warmup=40, seed=0, out=tmp_path / "normal.run")
    described = samples.describe() | {
        "variables": samples.draws,
        "report_values": samples.reports,
        "energies": samples.energies,
    }
    file = tmp_path / "normal.json"
    file.write_text(show_json(described))

    figures = [
        plot_samples(samples),
        plot_samples(open_run(tmp_path / "normal.run")),
        plot_run(tmp_path / "normal.run"),
        plot_run(file),
    ]

    assert json.loads(file.read_text())["status"] == samples.status.value
    shown = [
        [line.get_xydata() for axes in figure.axes for line in axes.lines] for figure in figures
    ]
    for other in shown[1:]:
        for ours, theirs in zip(shown[0], other, strict=True):
            np.testing.assert_allclose(ours, theirs)


def test_numbers_that_no_axis_can_hold_do_not_keep_the_others_from_being_drawn(tmp_path):
    """JSON from elsewhere may hold anything; pytest makes errors of matplotlib's warnings."""
    wild = [1e300, None, -1e308, 1e-300, 2.0, 3.0]
    points = [
        {
            "energy": value,
            "terms": {"a": value, "b": 1.0},
            "margins": {"a": value},
            "variables": {"x": value},
            "reports": {"way_path": [[value, 0.0], [1.0, value]]},
        }
        for value in wild
    ]
    file = tmp_path / "wild.json"
    ends = {"energies": wild, "feasible": [True] * 6}
    file.write_text(json.dumps({"status": "solved", "designs": points, "ends": ends}))

    figure = plot_run(file)
    write_figure(figure, tmp_path / "wild.png")

    (dots,) = [a.lines[0] for a in figure.axes if a.get_title(loc="left").startswith("where 6")]
    assert dots.get_ydata().tolist() == [0.0, 2.0, 3.0]
