"""What is said of a model before it runs, from Python."""

import pytest

import ebmlang
from ebmlang.api.check import find_findings, require_sound
from ebmlang.source import EbmError

BOX = "var x: real in [0, 1]\nvar y: real in [0, 1]\n"


def test_a_model_says_all_that_is_found_by_place():
    model = ebmlang.loads(f"{BOX}require a: x <= 5\nminimize b: x^2\nlet z = x")

    assert [d.code for d in model.check()] == ["W0211", "W0423", "W0212"]


def test_what_the_text_says_already_is_not_said_again():
    model = ebmlang.loads(f"{BOX}minimize b: x^2\nprefer c: 1 <= 2")

    assert [d.code for d in model.diagnostics] == ["W0211", "W0331"]
    assert [d.code for d in model.check()] == ["W0211", "W0331"]


def test_a_model_that_nothing_satisfies_is_refused_with_the_reason():
    model = ebmlang.loads(f"{BOX}require a: x + y >= 3\nminimize b: x^2")

    with pytest.raises(EbmError) as caught:
        require_sound(model, "solve")

    assert [d.code for d in caught.value.diagnostics] == ["E0411"]
    assert caught.value.exit_code == 1


def test_a_sound_model_gives_the_warnings_that_its_text_has_not_given():
    model = ebmlang.loads(f"{BOX}require a: x <= 5\nminimize b: x^2")

    assert [d.code for d in require_sound(model, "solve")] == ["W0423"]


def test_a_spec_whose_data_decides_sizes_says_what_its_text_says():
    model = ebmlang.loads("given k: real[N]\nvar x: real[N] in [0, 1]\nrequire a: x >= k")

    assert model.check() == ()
    assert [d.code for d in model.check({"k": [2.0]})] == ["E0411"]


def test_facts_are_inferred_once_for_the_same_data_and_weights():
    model = ebmlang.loads(f"given k: real\n{BOX}prefer a: x + y <= k")
    facts = model.analyze({"k": 1.0})

    assert model.analyze({"k": 1.0}) is facts
    assert model.analyze({"k": 2.0}) is not facts
    assert model.analyze({"k": 2.0}, {"a": 3.0}) is not model.analyze({"k": 2.0})


def test_a_value_that_data_brings_decides_what_is_found():
    model = ebmlang.loads(f"given k: real\n{BOX}prefer a: x + y <= k\nminimize b: x")

    assert [d.code for d in find_findings(model)] == []
    assert [d.code for d in find_findings(model.bind({"k": 3.0}))] == ["W0423"]
    assert [d.code for d in find_findings(model.bind({"k": -1.0}))] == ["W0424"]
