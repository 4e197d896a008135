"""Every cell of the table of laws, and the page that is written from it.

A yes is tried on small specs by the oracle, in the same search that finds a counterexample for
every no; and on large random formulas in compiled code, where whatever holds exactly does so in
float32 too.
"""

import re
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang import loads
from ebmlang.lang.laws import CONNECTIVES, FORMS, LAWS, LETTERS, Subject, Verdict
from ebmlang.source import EbmError
from ebmlang.testing.formula_writer import FormulaWriter
from ebmlang.testing.logic_laws import (
    evaluate_trial,
    find_counterexample,
    is_broken,
    letters_of,
    trials,
    value_of,
    write_sides,
    write_spec,
)
from ebmlang.testing.strategies import NAMES, formulas, surroundings, with_terms
from ebmlang.testing.values import by_torch, compiled, graph_of
from scripts.write_logic_laws import HEADINGS, PAGE, show_value, write_page

TRIALS = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LARGE = settings(TRIALS, max_examples=50)

ON_CONSTRAINTS = (Subject.PRODUCT, Subject.GODEL, Subject.MARGIN, Subject.HOLDS)

CELLS = [(law, subject) for law in LAWS for subject in law.cells]
HELD = [(law, s) for law, s in CELLS if law.cells[s] is not Verdict.NO]
REFUTED = [(law, s) for law, s in CELLS if law.cells[s] is Verdict.NO]


def named(cells):
    return [pytest.param(law, s, id=f"{law.name}: {s.name.lower()}") for law, s in cells]


# --- a yes ---------------------------------------------------------------------------


@pytest.mark.parametrize(("law", "subject"), named(HELD))
def test_no_counterexample_is_found_to_a_law_that_holds(law, subject):
    @TRIALS
    @given(trials(law, subject))
    def search(trial):
        assert not is_broken(law, subject, evaluate_trial(law, trial)), write_spec(law, trial)

    search()


NAMED = {letter: f"side_{letter}" for letter in LETTERS}
"""The letters by names that nothing else in the surroundings has."""


@st.composite
def letters(draw, subject):
    """Draw a large formula for each letter, in the names of the surroundings."""
    write = FormulaWriter(draw, exact=True)
    match subject:
        case Subject.DENSITY:
            return {x: write.density(NAMES, "x" if x == "d" else "u", 1) for x in LETTERS}
        case Subject.ENERGY:
            return {x: write.energy(NAMES, 1) for x in LETTERS}
        case _:
            return {x: draw(formulas(depth=1)) for x in LETTERS}


def at(values, row):
    """Return what the terms are at one of the points."""
    parts = {name: getattr(values, name) for name in ("energies", "margins", "satisfied")}
    return SimpleNamespace(
        **{name: {path: v[row] for path, v in part.items()} for name, part in parts.items()}
    )


TOGETHER = [
    (Subject.PRODUCT, Subject.MARGIN, Subject.HOLDS),
    (Subject.GODEL, Subject.MARGIN, Subject.HOLDS),
    (Subject.DENSITY,),
    (Subject.ENERGY,),
]
"""Subjects that one spec can speak of."""

AT_ONCE = 6
"""Laws in one spec: it takes as long to compile as it has terms."""


@pytest.mark.slow
@pytest.mark.parametrize("subjects", TOGETHER, ids=lambda subjects: subjects[0].name.lower())
def test_the_laws_hold_of_large_formulas_in_compiled_code(subjects):
    laws = [law for law in LAWS if any((law, subject) in HELD for subject in subjects)]
    picked = st.lists(st.sampled_from(laws), min_size=AT_ONCE, max_size=AT_ONCE)

    @LARGE
    @given(case=surroundings(), texts=letters(subjects[0]), laws=picked)
    def search(case, texts, laws):
        logic = "godel" if Subject.GODEL in subjects else "product"
        lines = [f"let {NAMED[letter]} = {text}" for letter, text in texts.items()]
        for number, law in enumerate(laws):
            lines += write_sides(law, f"_{number}", NAMED)
        case = in_logic(with_terms(case, *lines), logic)
        graph = graph_of(case)

        for dtype, verdicts in PRECISIONS.items():
            found = by_torch(case, compiled(case, dtype, graph))

            for (number, law), subject in product(enumerate(laws), subjects):
                for row in range(len(case.points) if law.cells.get(subject) in verdicts else 0):
                    assert not is_broken(law, subject, at(found, row), f"_{number}"), law.name

    search()


PRECISIONS = {
    torch.float64: {Verdict.EXACT, Verdict.ROUNDED},
    torch.float32: {Verdict.EXACT},
}


def in_logic(case, logic):
    return replace(case, text=re.sub(r"^logic \w+", f"logic {logic}", case.text))


# --- a no, and what is not said ------------------------------------------------------

BLOCK = re.compile(
    r"^(?P<subject>.+), at `(?P<point>.+)`: left (?P<left>.+), right (?P<right>.+)\.\n\n"
    r"```ebm\n(?P<text>(?s:.+?))```$",
    re.MULTILINE,
)


def shown_counterexamples():
    """Return the counterexamples of the page, by the name of the law and the subject."""
    subjects = {heading: subject for subject, heading in HEADINGS.items()}
    _, *sections = PAGE.read_text(encoding="utf-8").split("\n### ")
    return {
        (section.partition("\n")[0], subjects[block["subject"]]): block
        for section in sections
        for block in BLOCK.finditer(section)
    }


@pytest.mark.slow
def test_the_page_is_what_the_table_and_the_search_say():
    assert PAGE.read_text(encoding="utf-8") == write_page()


def test_the_page_shows_a_counterexample_to_every_no_and_to_nothing_else():
    assert set(shown_counterexamples()) == {(law.name, subject) for law, subject in REFUTED}


@pytest.mark.parametrize(("law", "subject"), named(REFUTED))
def test_a_counterexample_of_the_page_has_the_values_that_it_shows(law, subject):
    block = shown_counterexamples()[law.name, subject]
    settings = [part.split(" = ") for part in block["point"].split(", ")]
    point = {name: np.float64(value) for name, value in settings}

    found = loads(block["text"]).terms(point)

    shown = [show_value(subject, value_of(found, subject, path)) for path in ("left", "right")]
    assert shown == [block["left"], block["right"]]
    assert is_broken(law, subject, found)
    assert f"prefer left: {law.left}\nprefer right: {law.right}\n" in block["text"]


@pytest.mark.slow
def test_a_search_that_could_find_nothing_says_so():
    law = next(law for law in LAWS if law.name == "involutive")

    assert find_counterexample(law, Subject.GODEL) is None


REFUSED = [
    (law, subject)
    for laws, subjects in [
        (CONNECTIVES, (Subject.DENSITY, Subject.ENERGY)),
        (FORMS, (Subject.ENERGY,)),
    ]
    for law in laws
    for subject in subjects
    if subject not in law.cells
]

SAMPLES = {
    Subject.DENSITY: dict.fromkeys("abc", "x ~ normal(0, 1)") | {"d": "y ~ normal(0, 1)"},
    Subject.ENERGY: dict.fromkeys("abcd", "energy(x + y)"),
}


@pytest.mark.parametrize(("law", "subject"), named(REFUSED))
def test_a_law_without_a_verdict_is_one_that_the_language_cannot_say(law, subject):
    lets = [f"let {letter} = {SAMPLES[subject][letter]}" for letter in letters_of(law)]
    text = "\n".join(["var x: real\nvar y: real", *lets, *write_sides(law)])

    with pytest.raises(EbmError) as refusal:
        loads(text)

    assert {d.code for d in refusal.value.diagnostics} & {"E0306", "E0307", "E0308"}


def test_every_law_of_connectives_is_judged_on_constraints():
    alone = {law.name for law in CONNECTIVES if not set(ON_CONSTRAINTS) <= set(law.cells)}

    assert alone == {"sound"}
    assert len({law.name for law in LAWS}) == len(LAWS)
