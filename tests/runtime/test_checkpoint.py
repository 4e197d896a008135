"""What is written of a state comes back bit for bit, and nothing else is made of it."""

import json
import math

import numpy as np
import pytest
import torch

from ebmlang.runtime.checkpoint import STRUCTURE, flatten, restore
from ebmlang.sample.density import Evaluation
from ebmlang.sample.sampler import Place
from ebmlang.sample.state import ChainState
from ebmlang.source import InternalError

CPU = torch.device("cpu")


def bits(tensor):
    return tensor.numpy().tobytes(), tensor.dtype, tensor.shape


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([math.nan, -0.0, math.inf, 5e-324], dtype=torch.float64),
        torch.tensor([[1.1], [2.2]], dtype=torch.float32),
        torch.tensor([True, False]),
        torch.tensor(-(2**62)),
        torch.zeros(3, 0),
        torch.arange(12.0).reshape(3, 4).T,
    ],
    ids=["odd floats", "float32", "truth values", "a scalar", "nothing", "a transposed view"],
)
def test_tensors_keep_their_bits(tensor):
    assert bits(restore(flatten(tensor), CPU)) == bits(tensor.contiguous())


@pytest.mark.parametrize(
    "value",
    [0, -3, 2**70, True, False, None, "warm", 0.1, -0.0, math.inf, 5e-324, (), (1, (2.5, None))],
)
def test_what_is_no_tensor_comes_back_as_it_was(value):
    found = restore(flatten(value), CPU)

    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)


def test_a_number_that_is_none_stays_none():
    assert math.isnan(restore(flatten((math.nan,)), CPU)[0])


def place():
    rows = torch.arange(6.0).reshape(2, 3)
    evaluation = Evaluation(
        point=rows, energy=rows[:, 0], log_jacobian=rows[:, 1], reference=rows[:, 2], gradient=rows
    )
    chains = ChainState(position=rows, evaluation=evaluation, momentum=rows, level=rows[:, 0])
    state = ({"kept": chains, "absent": None}, 4, 0.3)
    return Place(iteration=7, state=state, warmup_gradients=torch.tensor([1, 2]))


def test_a_tree_of_dataclasses_keeps_its_classes_and_its_numbers():
    found = restore(flatten(place()), CPU)

    assert type(found) is Place
    chains = found.state[0]["kept"]
    assert type(chains) is ChainState
    assert type(chains.evaluation) is Evaluation
    assert torch.equal(chains.evaluation.gradient, place().state[0]["kept"].evaluation.gradient)
    assert found.state[0]["absent"] is None
    assert found.state[1:] == (4, 0.3)
    assert found.iteration == 7
    assert flatten(found).keys() == flatten(place()).keys()


def test_arrays_are_named_by_their_path():
    assert "state.0.kept.evaluation.energy" in flatten(place())


def test_what_is_written_does_not_change_with_the_tensor():
    tensor = torch.zeros(2)
    arrays = flatten({"x": tensor})

    tensor += 1

    np.testing.assert_array_equal(arrays["x"], [0, 0])


def test_what_a_state_cannot_hold_is_a_bug_and_said_so():
    with pytest.raises(InternalError, match="a set at `odd`"):
        flatten({"odd": {1}})


@pytest.mark.parametrize(
    "name", ["os:system", "subprocess:Popen", "ebmlang.runtime.checkpoint:flatten", "ebmlang.x:A"]
)
def test_a_file_cannot_have_anything_else_made(name):
    plan = json.dumps({"class": name, "fields": {}})

    with pytest.raises((InternalError, ModuleNotFoundError)):
        restore({STRUCTURE: np.frombuffer(plan.encode(), dtype=np.uint8)}, CPU)
