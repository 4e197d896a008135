"""A smallest conflict is found, is smallest, and is the one that was planted."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import torch

from ebmlang import Model, loads
from ebmlang.api.conflict import explain_conflict
from ebmlang.api.explain_point import explain_at
from ebmlang.check.paths import find_terms
from ebmlang.runs.conflict import Conflicting
from tests.api.planted import PLANTED, Planted

torch.set_num_threads(1)

STARTS = 24


@cache
def conflict_of(text: str) -> Conflicting:
    found = explain_conflict(loads(text), seed=0, starts=STARTS)
    assert isinstance(found, Conflicting)
    return found


def margins_at(model: Model, point: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Return the margin of every relation at a point, by the path of its term and its words."""
    found = {}
    for term in explain_at(model, point, elements=100).terms:
        for share in term.walk():
            if share.margin is not None:
                found[term.name, share.name] = share.margin.mean
                if share is term:
                    text = find_terms(model.program)[term.name].value.span.text
                    found[term.name, text] = share.margin.mean
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.name)
def test_the_conflict_is_the_one_that_was_planted_and_no_member_is_idle(case: Planted) -> None:
    found = conflict_of(case.text)

    assert {member.text for member in found.members} == case.members
    assert len(found.members) == len(case.members)
    assert set(found.bounds) == case.bounds
    assert found.proved == case.proved


@pytest.mark.slow
@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.name)
def test_without_any_one_member_the_others_hold_at_the_point_that_is_shown(case: Planted) -> None:
    found = conflict_of(case.text)

    model = loads(case.text)
    for left_out, point in zip(found.members, found.without, strict=True):
        margins = margins_at(model, point)
        others = [member for member in found.members if member is not left_out]
        assert all(margins[member.path, member.text] >= 0 for member in others)
