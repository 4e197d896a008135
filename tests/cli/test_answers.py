"""What `ebm solve` says of fronts, orders, different designs and sensitivities."""

import json

import pytest

from tests.cli.run import ebm

TRADE = """
given k: real = 2
var x: real in [0.25, 1]
minimize low: k * x
minimize high: (x - 1)^2
"""


@pytest.fixture
def trade(tmp_path):
    file = tmp_path / "trade.ebm"
    file.write_text(TRADE)
    return file


@pytest.mark.slow
def test_a_front_is_shown_as_a_table_and_written_as_json(trade, tmp_path, capsys):
    out = tmp_path / "front.json"
    options = ("--pareto", "low, high", "--starts", "8", "--designs", "3", "--out", out)

    shown = ebm(capsys, "solve", trade, *options)
    found = json.loads(out.read_text())

    assert shown.code == 0
    assert "the front trades `low` from 0.5" in shown.out
    assert found["terms"] == ["low", "high"]
    assert found["ideal"] == pytest.approx({"low": 0.5, "high": 0}, abs=1e-5)
    assert found["worst"] == pytest.approx({"low": 2, "high": 0.5625}, abs=5e-3)
    assert len(found["designs"]) == 3
    for design in found["designs"]:
        x = design["variables"]["x"]
        assert design["values"] == pytest.approx({"low": 2 * x, "high": (x - 1) ** 2})


@pytest.mark.slow
def test_sensitivities_stand_below_the_designs(trade, capsys):
    """E = k x + (x - 1)^2 has its minimum at the lower bound, where it grows with slope 0.5."""
    out = trade.with_name("designs.json")

    shown = ebm(capsys, "solve", trade, "--sensitivity", "--starts", "4", "--out", out)
    found = json.loads(out.read_text())["sensitivity"]

    assert shown.code == 0
    assert "lower bound" in shown.out
    assert found["givens"]["k"] == pytest.approx(0.25)
    assert found["lower"]["x"] == pytest.approx(2 - 2 * 0.75)
    assert found["weights"] == pytest.approx({"low": 0.5, "high": 0.5625})
    assert found["reliable"]


def test_diverse_designs_span_the_band(trade, capsys):
    """Along a line without a slope, the first is followed by the ends, or nearly so."""
    trade.write_text("var x: real in [0, 1]\nrequire some: x >= 0.1\nminimize flat: 0 * x\n")

    shown = ebm(capsys, "solve", trade, "--diverse", "--designs", "3", "--json")

    places = sorted(design["variables"]["x"] for design in json.loads(shown.out)["designs"])
    assert len(places) == 3
    assert places[0] == pytest.approx(0.1, abs=0.1)
    assert places[2] == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_an_order_with_a_slack(trade, capsys):
    trade.write_text(TRADE + "priority high > low\n")

    shown = ebm(capsys, "solve", trade, "--slack", "0.01", "--starts", "8", "--json")

    # (x - 1)^2 may come to 0.01, and `low` uses all of it.
    (design,) = json.loads(shown.out)["designs"]
    assert design["variables"]["x"] == pytest.approx(0.9, abs=1e-5)
