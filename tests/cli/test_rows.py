"""`ebm solve` with a table of problems."""

import csv
import json

import pytest

from tests.cli.run import ebm

SPEC = """
given target: real[2]
given most: real
var x: real[2] in [0, 10]
minimize f: sum((x - target)^2)
require s: sum(x) <= most
"""

TABLE = """most,target[0],target[1]
5,1,2
-1,1,2
2,2,2
-2,0,0
,1,1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nearest.ebm").write_text(SPEC)
    (tmp_path / "problems.csv").write_text(TABLE)
    return tmp_path


@pytest.mark.slow
def test_a_table_gives_a_table_and_says_which_rows_have_no_answer(capsys, folder):
    out = folder / "answers.csv"

    outcome = ebm(capsys, "solve", folder / "nearest.ebm", folder / "problems.csv", "--out", out)

    with out.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert outcome.code == 3
    assert [row["status"] for row in rows] == [
        *("solved", "infeasible", "solved", "infeasible", "bad data")
    ]
    assert [float(row["x[0]"]) for row in rows[:3:2]] == pytest.approx([1, 1], abs=1e-6)
    assert [float(row["x[1]"]) for row in rows[:3:2]] == pytest.approx([2, 1], abs=1e-6)
    assert "error[E0706 infeasible]" in outcome.err
    assert "2 rows, the first is row 1" in outcome.err
    assert "error[E0703 data-not-finite]" in outcome.err
    assert "this is row 4 of 5" in outcome.err


def test_a_table_without_fault_is_exit_code_0_and_one_json_object(capsys, folder):
    (folder / "good.csv").write_text("most,target[0],target[1]\n5,1,2\n9,3,4\n")

    outcome = ebm(capsys, "solve", folder / "nearest.ebm", folder / "good.csv", "--json")

    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert outcome.err == ""
    assert found["outcomes"] == {"solved": 2}
    assert found["columns"]["x[1]"] == pytest.approx([2, 4], abs=1e-6)


FOR_ONE_PROBLEM = [
    ("designs", "10"),
    ("effort", "normal"),
    ("method", "multistart"),
    ("diverse",),
    ("slack", "0.1"),
    ("pareto", "a,b"),
    ("sensitivity",),
]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        *(((f"--{option}", *value), "E0904") for option, *value in FOR_ONE_PROBLEM),
        (("--out", "answers.json"), "E0804"),
        (("--starts", "0"), "E0903"),
        (("--set", "most=[1, 2, 3]"), "E0702"),
    ],
    ids=[
        *(option for option, *_ in FOR_ONE_PROBLEM),
        "another format",
        "no starts",
        "as many values as no column",
    ],
)
def test_what_a_table_does_not_take_is_wrong_usage(capsys, folder, more, code):
    outcome = ebm(capsys, "solve", folder / "nearest.ebm", folder / "problems.csv", *more)

    assert outcome.code == 2
    assert outcome.err.count("error[") == 1
    assert outcome.err.startswith(f"error[{code} ")


def test_a_value_that_is_typed_with_an_axis_too_many_is_no_table(capsys, folder):
    outcome = ebm(
        capsys,
        *("solve", folder / "nearest.ebm", "--set", "target=[1, 2]", "--set", "most=[1]"),
    )

    assert outcome.code == 2
    assert outcome.err.startswith("error[E0702 ")


def test_warnings_about_the_spec_of_a_table_are_printed(capsys, folder):
    spec = folder / "nearest.ebm"
    spec.write_text(SPEC + "minimize nothing: 0 * x[0]\n")
    (folder / "good.csv").write_text("most,target[0],target[1]\n5,1,2\n9,3,4\n")

    outcome = ebm(capsys, "solve", spec, folder / "good.csv", "--starts", "2")

    assert outcome.code == 0
    assert "warning[W0331" in outcome.err
