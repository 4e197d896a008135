"""Data and weights that cannot be used are named, all of them in one go."""

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.source import EbmError
from tests.lower.sketch import Sketch


def make():
    """E = w * (x - y[i] + k)^2 with data y, i and k; k has a default."""
    s = Sketch()
    x, y, i = s.variable("x"), s.given("y", (3,)), s.given("i", (), Kind.INT)
    k = s.given("k", (), default=0.5)
    s.root(RootKind.INDEX, i, "m", size=3)
    miss = s("add", s("sub", x, s("take", y, i, axis=-1)), k)
    energy = s("mul", s("square", miss), s.weight("left.bend", 2.0))
    s.root(RootKind.ENERGY, energy, "left.bend")
    return compile_graph(s.graph(energy), dtype=torch.float64)


GOOD = {"y": [1.0, 2.0, 3.0], "i": 1}


def value(energy):
    return energy({"x": torch.tensor([4.0])}).item()


def codes(error):
    return [diagnostic.code for diagnostic in error.value.diagnostics]


def test_defaults_are_used_where_nothing_is_said():
    energy = make()
    energy.bind(GOOD)

    assert value(energy) == 2.0 * 2.5**2


def test_data_and_weights_change_without_compiling(monkeypatch):
    from ebmlang.lower import module

    energy = make()
    before = dict(module.COMPILATIONS)

    energy.bind(GOOD)
    first = value(energy)
    energy.bind({**GOOD, "y": np.zeros(3), "k": 1.0}, {"left.bend": 3.0})

    assert (first, value(energy)) == (12.5, 75.0)
    assert dict(module.COMPILATIONS) == before


def test_tensors_are_taken_as_data():
    energy = make()
    energy.bind({"y": torch.tensor(GOOD["y"], requires_grad=True), "i": torch.tensor(1)})

    assert value(energy) == 12.5


WRONG_DATA = [
    ({"i": 1}, "E0701", "there is no data for `y`"),
    ({**GOOD, "y": [1.0, 2.0]}, "E0702", "is of shape [2], and should be of shape [3]"),
    ({**GOOD, "i": [1]}, "E0702", "is of shape [1], and should be a single number"),
    ({**GOOD, "y": [[1.0], [2.0, 3.0]]}, "E0702", "has rows of different lengths"),
    ({**GOOD, "y": [1.0, np.nan, 2.0]}, "E0703", "`y[1]` is nan"),
    ({**GOOD, "k": np.inf}, "E0703", "`k` is inf"),
    ({**GOOD, "i": 3}, "E0704", "index 3 for an axis of size 3"),
    ({**GOOD, "i": -1}, "E0704", "index -1 for an axis of size 3"),
    ({**GOOD, "z": 1.0}, "E0705", "the data has `z`"),
    ({**GOOD, "i": 1.5}, "E0803", "cannot be read as `int`"),
    ({**GOOD, "y": ["a", "b", "c"]}, "E0803", "cannot be read as `real`"),
]


@pytest.mark.parametrize(("data", "code", "words"), WRONG_DATA)
def test_data_that_cannot_be_used_is_named(data, code, words):
    with pytest.raises(EbmError) as error:
        make().bind(data)

    assert codes(error) == [code]
    assert words in error.value.diagnostics[0].headline
    assert error.value.exit_code == 2


def test_all_that_is_wrong_with_the_data_is_said_at_once():
    with pytest.raises(EbmError) as error:
        make().bind({"yy": 1.0, "i": 1.5})

    assert sorted(codes(error)) == ["E0701", "E0705", "E0803"]


def test_an_index_is_checked_before_another_is_read_through_it():
    s = Sketch()
    places, i = s.given("places", (2,), Kind.INT), s.given("i", (), Kind.INT)
    inner = s("take", places, i, axis=-1)
    s.root(RootKind.INDEX, i, "m", size=2)
    s.root(RootKind.INDEX, inner, "m", size=4)
    energy = compile_graph(s.graph(s("take", s.variable("x", (4,)), inner, axis=-1)))

    with pytest.raises(EbmError, match="index 2 for an axis of size 2"):
        energy.bind({"places": [0, 9], "i": 2})
    with pytest.raises(EbmError, match="index 9 for an axis of size 4"):
        energy.bind({"places": [0, 9], "i": 1})


def test_whole_numbers_written_as_reals_are_whole_numbers():
    energy = make()
    energy.bind({**GOOD, "i": 1.0})

    assert value(energy) == 12.5


def test_a_default_takes_the_kind_that_is_declared():
    s = Sketch()
    k = s.given("k", (2,), default=2)
    energy = compile_graph(s.graph(s("prod", k, axes=(-1,))))

    assert energy({}).dtype == torch.float32
    assert energy({}).tolist() == [4.0]


def test_an_unknown_weight_names_the_closest():
    with pytest.raises(EbmError) as error:
        make().bind(GOOD, {"left.bent": 2.0})

    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0901"
    assert diagnostic.helps == ("did you mean `left.bend`?",)


@pytest.mark.parametrize("weight", [0.0, -1.0, np.inf, np.nan])
def test_a_weight_is_a_positive_number(weight):
    with pytest.raises(EbmError) as error:
        make().bind(GOOD, {"left.bend": weight})

    assert codes(error) == ["E0903"]


def test_a_model_without_data_needs_no_binding():
    s = Sketch()
    energy = compile_graph(s.graph(s("square", s.variable("x"))))

    assert energy({"x": torch.tensor([3.0])}).tolist() == [9.0]


def test_a_model_that_was_never_bound_says_what_it_misses():
    with pytest.raises(EbmError, match="there is no data for `y`"):
        value(make())
