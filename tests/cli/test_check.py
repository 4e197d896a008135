"""What `ebm check` says of specs, with data and without."""

import json

import pytest

from tests.cli.run import DESK, EXAMPLES, ebm

SCHOOLS = EXAMPLES / "eight_schools.ebm"


@pytest.fixture
def write(tmp_path):
    """Write a text to a file beside the test's other files, and return its path."""

    def write_file(text: str, name: str = "a.ebm"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write_file


def test_a_proper_spec_gets_one_line_with_what_is_proved(capsys):
    outcome = ebm(capsys, "check", DESK)

    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out == (
        f"{DESK} is fine: 2 variables, 4 terms; "
        "proper: bounded below, has a minimizer, exp(-E) integrable\n"
    )


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.ebm")), ids=lambda path: path.stem)
def test_every_example_is_proper_and_gets_no_warning(capsys, example):
    data = [path for path in map(example.with_suffix, (".json", ".csv")) if path.exists()]

    outcome = ebm(capsys, "check", example, *data)

    assert outcome.err == ""
    assert outcome.code == 0
    assert "; proper: bounded below, has a minimizer, exp(-E) integrable\n" in outcome.out


def test_without_the_data_that_sizes_need_it_says_which(capsys):
    outcome = ebm(capsys, "check", SCHOOLS)

    assert outcome.code == 0
    assert outcome.out.endswith("; propriety: needs the data of `y`, `sigma`\n")


def test_values_and_data_files_count_alike(capsys, write):
    spec = write("given k: real[N]\nvar x: real[N] in [0, 1]\nrequire high: x >= k\n")
    data = write('{"k": [3, 0.5]}', "k.json")

    for arguments in (["--set", "k=[3, 0.5]"], ["--data", data], [data]):
        outcome = ebm(capsys, "check", spec, *arguments)

        assert outcome.code == 1
        assert "error[E0411 impossible]" in outcome.err
    assert ebm(capsys, "check", spec, "--set", "k=[0.3, 0.5]").code == 0


def test_warnings_are_shown_until_they_are_switched_off(capsys, write):
    spec = write("var x: real in [0, 1]\nvar y: real in [0, 1]\nminimize low: x^2\n")

    assert "warning[W0211 unused-variable]" in ebm(capsys, "check", spec).err
    assert ebm(capsys, "check", spec, "--no-warn", "unused-variable").err == ""
    assert ebm(capsys, "check", spec, "-W", "W0211").err == ""
    spec.write_text(spec.read_text().replace("\nmin", "  # allow: unused-variable\nmin"))
    assert ebm(capsys, "check", spec).err == ""


def test_a_finding_is_switched_off_at_its_statement_and_nowhere_else(capsys, write):
    spec = write(
        "var x: real in [0, 1]\nrequire a: x <= 5  # allow: always-true\nrequire b: x <= 6\n"
    )

    outcome = ebm(capsys, "check", spec)

    assert outcome.code == 0
    assert outcome.err.count("warning[") == 1
    assert "`b` holds everywhere" in outcome.err


def test_advice_is_given_to_the_pedantic_only(capsys, write):
    spec = write("var x: real in [0, 1]\nprefer low: x <= 0.5\n")

    assert ebm(capsys, "check", spec).err == ""
    assert "warning[W0427 default-tolerance]" in ebm(capsys, "check", spec, "--pedantic").err


def test_an_energy_without_an_integral_is_warned_of_and_fine(capsys, write):
    spec = write("var x: real\nvar y: real\nminimize low: (x - y)^2\n")

    outcome = ebm(capsys, "check", spec)

    assert outcome.code == 0
    assert "warning[W0421 not-integrable]" in outcome.err
    assert (
        "; proper: bounded below, has a minimizer; improper: exp(-E) not integrable" in outcome.out
    )


def test_an_energy_without_a_lower_bound_is_an_error(capsys, write):
    outcome = ebm(capsys, "check", write("var x: real\nminimize low: x\n"))

    assert outcome.code == 1
    assert "error[E0413 unbounded]" in outcome.err
    assert outcome.out == ""


def test_what_can_never_hold_is_an_error_before_anything_runs(capsys, write):
    spec = write("var x: real in [0, 1]\nrequire far: x >= 3\nminimize low: x^2\n")

    for command in ("check", "solve", "sample"):
        outcome = ebm(capsys, command, spec)

        assert outcome.code == 1
        assert "error[E0411 impossible]" in outcome.err


def test_a_data_set_that_does_not_fit_is_wrong_usage(capsys):
    outcome = ebm(capsys, "check", SCHOOLS, "--set", "y=[1, 2]", "--set", "sigma=[1, 2, 3]")

    assert outcome.code == 2
    assert "error[E0702 data-shape]" in outcome.err


def test_data_without_a_spec_is_wrong_usage(capsys):
    outcome = ebm(capsys, "check", EXAMPLES / "eight_schools.json")

    assert outcome.code == 2
    assert "there is no spec to check" in outcome.err


def test_several_specs_are_checked_in_one_run(capsys, write):
    outcome = ebm(capsys, "check", write("minimize a: y\n"), DESK)

    assert outcome.code == 1
    assert "E0201" in outcome.err
    assert f"{DESK} is fine" in outcome.out


def test_json_has_every_spec_with_its_verdicts(capsys, write):
    wrong = write("minimize a: y\n")
    flat = write("var x: real\nvar y: real\nminimize low: (x - y)^2\n", "flat.ebm")

    outcome = ebm(capsys, "check", DESK, wrong, flat, SCHOOLS, "--json")
    said = json.loads(outcome.out)
    desk, broken, improper, schools = said["specs"]

    assert outcome.code == 1
    assert said["status"] == "error"
    assert [d["code"] for d in said["diagnostics"]] == ["E0201", "W0421"]
    assert desk["status"] == "fine"
    assert (desk["variables"], desk["terms"], desk["missing"]) == (2, 4, [])
    assert {v["answer"] for v in desk["propriety"].values()} == {"proper"}
    assert broken == {"file": str(wrong), "status": "error"}
    assert improper["propriety"]["integrable"]["answer"] == "improper"
    assert set(improper["propriety"]["integrable"]["variables"]) == {"x", "y"}
    assert schools["missing"] == ["y", "sigma"]
    assert "propriety" not in schools


def test_an_energy_without_lower_bound_is_left_to_solve_where_nothing_is_known_of_the_integral(
    capsys, write
):
    spec = write(
        "given y: real[4]\nvar mu: real[2] ~ normal(0, 5)\nvar s: real[2] ~ half_normal(2)\n"
        "prefer like: forall i in 0..3:"
        " (y[i] ~ normal(mu[0], s[0])) or (y[i] ~ normal(mu[1], s[1]))\n"
    )
    data = ("--set", "y=[0, 1, 4, 5]")

    outcome = ebm(capsys, "check", spec, *data)

    assert (outcome.code, outcome.err) == (0, "")
    assert "not bounded below" in outcome.out
    assert "warning[W0422 unproven]" in ebm(capsys, "check", spec, *data, "--pedantic").err
    assert "error[E0413 unbounded]" in ebm(capsys, "solve", spec, *data).err
