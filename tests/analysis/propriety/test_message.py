"""What is said of a verdict depends on what is about to be done."""

import pytest

import ebmlang
from ebmlang.analysis.propriety.message import propriety_diagnostics
from ebmlang.source import EbmError
from tests.analysis.propriety.road import judged

PROPER = "var x: real ~ normal(0, 1)"
FLAT = "var x: real ~ normal(0, 1)\nvar y: real"
FALLING = "var x: real\nmaximize e: x"
POLE = "var s: positive ~ half_normal(1)\nvar m: real ~ normal(0, 1)\nprefer a: 0 ~ normal(m, s)"
UNPROVEN = "var a: real\nvar b: real\nprefer p: a * b ~ normal(1, 1)"

SAID = [
    (PROPER, "check", []),
    (PROPER, "solve", []),
    (PROPER, "sample", []),
    (FLAT, "check", ["W0421"]),
    (FLAT, "solve", []),
    (FLAT, "sample", ["E0412"]),
    (FALLING, "check", ["E0413"]),
    (FALLING, "solve", ["E0413"]),
    (FALLING, "sample", ["E0412"]),
    # Made to be sampled: that it has no lower bound is no fault until it is solved.
    (POLE, "check", []),
    (POLE, "solve", ["E0413"]),
    (POLE, "sample", []),
    (UNPROVEN, "check", ["W0422"]),
    (UNPROVEN, "solve", []),
    (UNPROVEN, "sample", ["W0422"]),
]


@pytest.mark.parametrize(("text", "verb", "codes"), SAID)
def test_a_verdict_is_told_where_it_matters(text, verb, codes):
    assert [d.code for d in propriety_diagnostics(judged(text), verb)] == codes


@pytest.mark.parametrize("text", [FLAT, FALLING])
def test_a_help_that_is_pasted_mends_the_spec(text):
    (told,) = propriety_diagnostics(judged(text), "sample")
    line = next(line for line in told.helps[0].split("`") if line.startswith("var "))
    name = line.split(":")[0]
    mended = "\n".join(line if own.startswith(f"{name}:") else own for own in text.split("\n"))

    assert propriety_diagnostics(judged(mended), "sample") == []


def test_a_term_that_is_pasted_mends_the_spec():
    (told,) = propriety_diagnostics(judged(FLAT), "sample")
    line = next(part for help in told.helps for part in help.split("`") if "prefer" in part)

    assert propriety_diagnostics(judged(f"{FLAT}\n{line}"), "sample") == []


def test_the_first_line_of_an_or_names_what_its_alternative_leaves_open():
    text = "var x: real\nvar y: real\nprefer a: abs(x) <= 1 within 1 or abs(y) <= 1 within 1"

    first = judged(text).integrable.because[0]

    assert "grows only in" in first.text
    assert first.span is not None
    assert first.span.text in text


def test_no_line_blames_the_standard_library():
    verdict = judged("var s: positive\nvar t: positive\nprefer a: s ~ gamma(t, 1)").integrable

    assert all(
        reason.span is None or reason.span.source.name == "<text>" for reason in verdict.because
    )


def test_a_run_that_would_be_in_vain_does_not_begin():
    with pytest.raises(EbmError) as caught:
        ebmlang.loads(FLAT).sample(chains=2, draws=2, warmup=2)

    assert [d.code for d in caught.value.diagnostics] == ["E0412"]
    assert caught.value.exit_code == 1
    with pytest.raises(EbmError) as caught:
        ebmlang.loads(FALLING).solve(starts=2)
    assert [d.code for d in caught.value.diagnostics] == ["E0413"]
