"""Cost and profile of models that call functions from Python, which autograd has to go through."""

import pytest

import ebmlang
from ebmlang.api.cost import describe_cost
from ebmlang.api.profile import profile_model

SPACE = {"x": "real[3] in [-1, 1]"}


@pytest.fixture
def model():
    bowl = ebmlang.term(lambda x: x.cos().sum(-1), "x", sort="energy", name="bowl")
    return ebmlang.compose(SPACE, minimize={"sink": bowl})


def test_what_a_function_costs_is_said_to_be_unknown(model):
    found = describe_cost(model)

    assert found["opaque"] == ["bowl"]
    assert "autograd" in found["native"]


def test_a_function_is_profiled_with_the_way_back_through_it(model):
    found = profile_model(model, chains=4, rounds=1)

    by_path = {term.path: term for term in found.terms}
    assert by_path["sink"].gradient > 0
    assert any(stack[-1] == "back" and "sink" in stack for stack in found.stacks)
    soft = [term.gradient for term in found.terms]
    assert sum(found.stacks.values()) == pytest.approx(sum(soft))
