"""A file, or a text, becomes a model; what is wrong with it is said all at once."""

import pytest

import ebmlang
from ebmlang import EbmError


def test_a_file_and_its_text_are_the_same_model(tmp_path):
    text = "var x: real in [0, 1]\nminimize low: x\n"
    file = tmp_path / "low.ebm"
    file.write_text(text)

    model = ebmlang.load(file)

    assert model.name == "low"
    assert model.graph("code") == ebmlang.loads(text).graph("code")


def test_all_errors_of_a_text_come_together():
    with pytest.raises(EbmError) as raised:
        ebmlang.loads("var x: real\nminimize a: y\nminimize b: z\n")

    assert [d.code for d in raised.value.diagnostics] == ["E0201", "E0201"]
    assert raised.value.exit_code == 1


def test_warnings_stay_with_the_model():
    model = ebmlang.loads("var x: real\nvar y: real\nminimize low: x^2\n")

    assert [d.slug for d in model.diagnostics] == ["unused-variable"]


def test_a_constant_can_be_another():
    model = ebmlang.loads("const N = 2\nvar x: real[N]\nminimize a: sum(x)", constants={"N": 5})

    assert model.interface()["variables"][0]["shape"] == [5]


def test_an_unknown_constant_is_refused():
    with pytest.raises(EbmError) as raised:
        ebmlang.loads("var x: real\nminimize low: x^2", constants={"N": 5})

    assert raised.value.diagnostics[0].code == "E0902"
    assert raised.value.exit_code == 2


def test_modules_beside_a_file_are_found(tmp_path):
    (tmp_path / "parts.ebm").write_text("fn twice(a: real) = 2 * a\n")
    (tmp_path / "main.ebm").write_text(
        "from .parts import twice\nvar x: real in [1, 2]\nminimize low: twice(x)\n"
    )

    assert ebmlang.load(tmp_path / "main.ebm").solve(starts=4)[0].energy == pytest.approx(2)
