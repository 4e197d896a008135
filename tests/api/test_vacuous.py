"""What never acts on a run is named, and what acts is not."""

import numpy as np
import pytest
import torch

from ebmlang import loads
from ebmlang.api.run_files import Run
from ebmlang.runs.idle import Idleness

torch.set_num_threads(1)

RNG = np.random.default_rng(0)
DRAWS = Run(kind="draws", values={"x": RNG.normal(size=(4, 500))})


def idle_of(terms: str, run: Run = DRAWS):
    found = loads(f"var x: real\n{terms}").find_idle(run)
    return {one.text: one for one in found.idle}


def test_a_constraint_far_from_all_draws_is_idle():
    found = idle_of("prefer near: x <= 100\nprefer right: x >= 0")

    assert set(found) == {"near"}
    assert found["near"].kind is Idleness.FAR
    assert found["near"].amount == pytest.approx(100 - DRAWS.values["x"].max())
    assert found["near"].reason == (
        f"never acts: its least margin is {found['near'].amount:.3g} tolerances in 2,000 draws"
    )


def test_a_requirement_whose_boundary_shapes_the_draws_is_not_idle():
    run = Run(kind="draws", values={"x": np.abs(DRAWS.values["x"])})

    assert not idle_of("require right: x >= 0", run)
    assert set(idle_of("require right: x >= -30", run)) == {"right"}


def test_a_branch_that_never_answers_for_anything_is_named():
    found = idle_of("prefer either: abs(x) <= 1 within 0.1 or x >= 50 within 0.1")

    (branch,) = found.values()
    assert branch.text == "x >= 50 within 0.1"
    assert branch.kind is Idleness.BRANCH
    assert branch.amount < 1e-3


def test_an_element_of_an_exists_is_named_by_its_place():
    found = idle_of(
        "const places = [-1, 1, 90]\n"
        "prefer some: exists place in places: abs(x - place) <= 0.1 within 0.1"
    )

    assert set(found) == {"[place = 2] abs(x - place) <= 0.1 within 0.1"}


def test_a_part_of_an_and_is_named_where_the_rest_acts():
    found = idle_of("prefer both: x >= 0 and x <= 100")

    assert set(found) == {"x <= 100"}
    assert found["x <= 100"].path == "both"


def test_elements_of_a_forall_are_judged_as_a_whole():
    found = idle_of("prefer every: forall i in 0..3: x <= i or x >= 90")

    assert set(found) == {"x >= 90"}


def test_an_energy_that_is_the_same_everywhere_is_idle():
    found = idle_of("minimize flat: relu(x - 50)\nminimize low: x^2")

    assert found["flat"].kind is Idleness.CONSTANT
    assert set(found) == {"flat"}


def test_a_single_design_at_a_boundary_is_not_far_from_it():
    run = Run(kind="designs", values={"x": np.array([[1e-9]])})

    assert not idle_of("require right: x >= 0", run)
    assert set(idle_of("require right: x >= -2", run)) == {"right"}
