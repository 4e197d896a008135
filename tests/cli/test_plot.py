"""`ebm plot`, and `ebm explain --svg`: pictures go to files, and errors to people."""

import json

import pytest

from tests.cli.run import DESK, ebm


@pytest.fixture
def result(tmp_path):
    """A result of `solve` with two designs."""
    file = tmp_path / "desk.json"
    points = [{"lamp": [5, 30], "cup": [60, 0]}, {"lamp": [114, 30], "cup": [60, 5]}]
    designs = [
        {
            "energy": i / 20,
            "terms": {"reach": i / 20},
            "margins": {"apart": 3.0},
            "variables": point,
        }
        for i, point in enumerate(points)
    ]
    file.write_text(json.dumps({"status": "solved", "designs": designs}))
    return file


def test_a_picture_lies_beside_its_run(capsys, result):
    outcome = ebm(capsys, "plot", result)

    picture = result.with_suffix(".png")
    assert (outcome.code, outcome.out) == (0, f"wrote {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_ending_of_its_name_is_the_format_of_a_picture(capsys, result, tmp_path):
    outcome = ebm(capsys, "plot", result, "--out", tmp_path / "p.svg", "--json")

    assert json.loads(outcome.out) == {"written": str(tmp_path / "p.svg")}
    assert "<svg" in (tmp_path / "p.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--quantity", "lmap"], "E0920"),
        (["--out", "picture.jpg"], "E0804"),
        (["--out", "no/such/folder.png"], "E0804"),
    ],
)
def test_what_cannot_be_drawn_is_wrong_usage(capsys, result, arguments, code):
    outcome = ebm(capsys, "plot", result, *arguments)

    assert outcome.code == 2
    assert f"error[{code} " in outcome.err


def test_a_spec_is_no_run(capsys, tmp_path):
    outcome = ebm(capsys, "plot", DESK, "--out", tmp_path / "p.png")

    assert outcome.code == 2
    assert "error[E0820 nothing-to-draw]" in outcome.err
    assert not (tmp_path / "p.png").exists()


def test_the_tree_of_a_spec_is_drawn_bare_at_a_point_and_over_a_run(capsys, result, tmp_path):
    for options in ([], ["--at", result], ["--run", result]):
        outcome = ebm(capsys, "explain", DESK, *options, "--svg", tmp_path / "tree.svg")

        assert (outcome.code, outcome.out) == (0, f"wrote {tmp_path / 'tree.svg'}\n")
        text = (tmp_path / "tree.svg").read_text()
        assert "near(lamp, [0, 30])" in text
        assert ("energy [nats]" in text) == bool(options)


@pytest.mark.parametrize("asked", [["E0302"], [DESK, "--conflict"], [DESK, "--vacuous"]])
def test_a_tree_is_drawn_of_nothing_else(capsys, tmp_path, asked):
    outcome = ebm(capsys, "explain", *asked, "--svg", tmp_path / "tree.svg")

    assert outcome.code == 2
    assert "two questions" in outcome.err
