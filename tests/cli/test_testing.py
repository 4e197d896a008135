"""`ebm test`: what it prints, and what it ends with."""

import json

import pytest

from tests.cli.run import EXAMPLES, ebm, start

SPEC = """var x: real in [0, 4]
require low: x <= 3
property even: forall t: real in [-1, 1]: t^2 == (-t)^2 within 1e-9
property small: forall t: real in [0, 2]: t^2 <= 2
example inside { x = 2 } satisfies low
"""


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text(SPEC)
    return file


def test_each_test_has_a_line_and_what_fails_is_drawn(capsys, spec):
    found = ebm(capsys, "test", spec)

    assert found.code == 1
    assert found.out.splitlines() == [
        f"passed  {spec}::even",
        f"FAILED  {spec}::small",
        f"passed  {spec}::inside",
        "1 failed, 2 passed",
    ]
    assert "error[E0417 refuted]: the property `small` does not hold everywhere" in found.err
    assert "example small_fails { t = 2 } violates small" in found.err


def test_when_all_pass_the_code_is_0(capsys):
    found = ebm(capsys, "test", EXAMPLES / "test_desk.ebm")

    assert found.code == 0
    assert found.out.endswith("\n7 passed\n")
    assert found.err == ""


def test_quiet_prints_what_fails_alone(capsys, spec):
    assert ebm(capsys, "test", spec, "--quiet").out == f"FAILED  {spec}::small\n"


def test_as_json_there_is_one_object(capsys, spec):
    found = ebm(capsys, "test", spec, "--json")

    described = json.loads(found.out)
    assert found.code == 1
    assert described["status"] == "failed"
    assert [(r["name"], r["kind"], r["passed"]) for r in described["results"]] == [
        ("even", "property", True),
        ("small", "property", False),
        ("inside", "example", True),
    ]
    assert described["results"][1]["counterexample"] == (
        "example small_fails { t = 2 } violates small"
    )
    assert described["results"][1]["diagnostics"][0]["code"] == "E0417"


def test_points_and_seed_can_be_chosen(capsys, spec):
    found = ebm(capsys, "test", spec, "--json", "--examples", "30", "--seed", "5")

    # Two more are the corners.
    assert json.loads(found.out)["results"][0]["points"] in (31, 32)


def test_data_and_constants_are_taken(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text(
        "const top = 1\ngiven y: real\nproperty p: forall a: real in [0, top]: a <= y\n"
    )
    (tmp_path / "y.json").write_text('{"y": 2}')

    assert ebm(capsys, "test", file, tmp_path / "y.json").code == 0
    assert ebm(capsys, "test", file, "--set", "y=2", "--const", "top=3").code == 1
    assert ebm(capsys, "test", file, tmp_path / "y.json", "--set", "y=0.5").code == 1


def test_what_lacks_data_is_not_tested_and_the_rest_is(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text(
        "given y: real\nproperty p: forall a: real in [0, 1]: a <= y\n"
        "prefer t: y >= 1\nexample e { y = 2 } satisfies t\n"
    )

    found = ebm(capsys, "test", file)

    assert found.code == 2
    assert f"ERROR   {file}::p" in found.out
    assert found.out.endswith("1 passed, 1 not tested\n")
    assert found.err.count("error[E0701 missing-data]") == 1


def test_a_spec_that_is_wrong_does_not_stop_the_others(capsys, tmp_path, spec):
    wrong = tmp_path / "wrong.ebm"
    wrong.write_text("property p: y >= 1\n")

    found = ebm(capsys, "test", wrong, spec)

    assert found.code == 1
    assert "no value is called `y`" in found.err
    assert found.out.endswith("1 failed, 2 passed, 1 not tested\n")


@pytest.mark.slow
def test_nothing_is_left_in_the_folder_that_it_is_called_in(tmp_path, spec):
    before = sorted(tmp_path.iterdir())

    done = start("test", spec, cwd=tmp_path)

    done.communicate()
    assert done.returncode == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_without_tests_is_no_failure(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text("var x: real\nminimize low: x^2\n")

    found = ebm(capsys, "test", file)

    assert (found.code, found.out) == (0, "there are no properties and no examples\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("a.json",), "E0904"), (("a.ebm", "--examples", "0"), "E0903"), (("a.ebm",), "E0801")],
)
def test_wrong_usage_ends_with_2(capsys, arguments, code):
    found = ebm(capsys, "test", *arguments)

    assert found.code == 2
    assert code in found.err


def test_a_property_of_an_array_without_elements_is_refuted(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text("property a: forall x: real[0]: sum(x) >= 1\n")

    found = ebm(capsys, "test", file)
    file.write_text(f"{file.read_text()}example b {{ x = [0 for i in 1..0] }} violates a\n")

    assert found.code == 1
    assert "example a_fails { x = [0 for i in 1..0] } violates a" in found.err
    assert f"passed  {file}::b" in ebm(capsys, "test", file).out


def test_a_long_counterexample_is_cut_in_the_terminal_and_whole_in_json(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text("property a: forall x: real[2000] in [0, 1]: sum(x) <= -1\n")

    found = ebm(capsys, "test", file)
    described = json.loads(ebm(capsys, "test", file, "--json").out)

    assert len(found.err.splitlines()) < 20
    assert "has it whole" in found.err
    assert described["results"][0]["counterexample"].count("0") == 2000
