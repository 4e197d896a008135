"""Repairs: the least slack by hand, and text that works once it is pasted."""

from functools import cache

import numpy as np
import pytest
import torch

from ebmlang import loads
from ebmlang.api.loosening import round_up
from ebmlang.runs.conflict import Satisfiable
from ebmlang.runs.repair import Repair, Way

torch.set_num_threads(1)

STARTS = 16


@cache
def repair_of(text: str) -> Repair:
    found = loads(text).find_repair(starts=STARTS)
    assert isinstance(found, Repair)
    return found


def edited(text: str, way: Way) -> str:
    edits = [edit for change in way.changes for edit in change.edits]
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def ways_of(found: Repair) -> list[Way]:
    ways = [found.smallest, *found.alone.values(), *found.bounds.values()]
    return [way for way in ways if way is not None]


DISCS = """
var p: real[2]
require left: norm(p - [0, 0]) <= 1
require right: norm(p - [4, 0]) <= 1
require up: p[1] >= -3
"""

EQUAL = """
var a: real
var b: real
require start: a == 0 within 0.01
require step: b == a + 1 within 0.01
require finish: b <= 0.5
"""

BRANCHES = """
var x: real
require either: x >= 5 or x <= -7
require here: abs(x) <= 4
"""

NEGATED = """
fn near(a, b) = abs(a - b) <= 3
var x: real in [0, 1]
require away: not near(x, 0)
"""

LEGS = """
spec leg(hip) {
  var knee: real
  require reach: knee >= hip + 2
}
part left = leg(1)
part right = leg(4)
require together: left.knee - right.knee >= 3
require close: left.knee <= 7
"""


@pytest.mark.slow
@pytest.mark.parametrize("text", [DISCS, EQUAL, BRANCHES, NEGATED, LEGS])
def test_with_any_repair_pasted_in_everything_holds_at_its_point(text):
    ways = ways_of(repair_of(text))

    assert ways
    for way in ways:
        model = loads(edited(text, way))
        assert all(model.explain(way.point).satisfied.values())
        assert isinstance(model.find_conflict(starts=STARTS), Satisfiable)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "least"),
    [
        # The discs are 2 apart.
        (DISCS, 2.0),
        # 0.01 of `start` and of `step` are free: b can be 0.98.
        (EQUAL, 0.48),
        # From 4 to 5.
        (BRANCHES, 1.0),
        # From 1 to 3.
        (NEGATED, 2.0),
        # right.knee is 6 at least, so left.knee 9.
        (LEGS, 2.0),
    ],
)
def test_the_least_sum_of_slacks_is_the_one_by_hand(text, least):
    found = repair_of(text)

    # Numbers are rounded up to three digits.
    assert least <= found.smallest.slack <= least * 1.01 + 1e-3


@pytest.mark.slow
def test_a_sum_that_can_be_split_is_given_by_one():
    found = repair_of("var x: real\nrequire low: x <= 2\nrequire high: x >= 3")

    assert len(found.smallest.changes) == 1


def test_an_equality_gets_a_wider_tolerance():
    found = repair_of(EQUAL)

    change = found.alone["a == 0 within 0.01"].changes[0]
    # a has to reach 0.5 - 0.99, and 0.01 of it is free.
    assert change.slack == pytest.approx(0.48 / 0.01, rel=0.01)
    assert change.new.startswith("a == 0 within 0.4")


@pytest.mark.slow
def test_of_an_or_the_nearest_branch_gives():
    found = repair_of(BRANCHES)

    (change,) = found.alone["x >= 5 or x <= -7"].changes
    assert change.old == "x >= 5"


def test_what_a_call_means_is_changed_where_it_is_written():
    found = repair_of(NEGATED)

    (change,) = found.smallest.changes
    assert change.old == "abs(a - b) <= 3"
    assert change.edits[0].span.text == "3"


def test_bounds_give_where_they_are_part_of_the_conflict():
    found = repair_of(NEGATED)

    (change,) = found.bounds["x"].changes
    assert change.new in ("[0, 3.01]", "[-3.01, 1]")


@pytest.mark.slow
def test_what_alone_is_not_enough_is_said_to_be():
    text = "var x: real\nvar y: real\n" + "\n".join(
        f"require {v}{i}: {v} {c}" for v in "xy" for i, c in enumerate((">= 3", "<= 2"))
    )
    found = repair_of(text)

    assert set(found.alone.values()) == {None}
    assert len(found.smallest.changes) == 2
    assert found.smallest.slack == pytest.approx(2, rel=0.02)


def test_what_can_hold_needs_no_repair():
    found = loads("var x: real\nrequire up: x >= 1").find_repair(starts=STARTS)

    assert isinstance(found, Satisfiable)
    assert found.design.variables["x"] >= 1


@pytest.mark.parametrize("value", np.geomspace(1e-6, 1e6, 41))
def test_rounding_up_never_rounds_down_and_adds_less_than_a_percent(value):
    rounded = round_up(float(value))

    assert value * (1 - 1e-11) <= rounded <= value * 1.0101
