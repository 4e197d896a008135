"""Sizes come out of the shapes of the data, and shapes that disagree are told apart."""

import numpy as np
import pytest

from ebmlang.api.load import loads
from ebmlang.api.sizes import bind_sizes
from ebmlang.source import EbmError


def bind(text: str, **data):
    program = loads(text + "\nvar v: real in [0, 1]\nminimize low: v").program
    return bind_sizes(program, {name: np.asarray(value) for name, value in data.items()})


def codes(text: str, **data) -> list[str]:
    with pytest.raises(EbmError) as raised:
        bind(text, **data)
    return [d.code for d in raised.value.diagnostics]


PAIR = "given y: real[N]\ngiven s: real[N]"


def test_a_size_is_the_length_of_the_data():
    assert bind(PAIR, y=[1, 2, 3], s=[1, 1, 1]).sizes == {"N": 3}


def test_lengths_that_disagree_are_refused_with_both_places():
    with pytest.raises(EbmError) as raised:
        bind(PAIR, y=[1, 2, 3], s=[1, 1])

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0702"
    assert diagnostic.headline == "`N` is 3 by `y`, and 2 by `s`"
    assert len(diagnostic.secondary) == 1


def test_a_key_that_is_the_size_itself_is_held_against_the_shapes():
    """Data files for Stan have it: `{"N": 3, "y": [1, 2, 3]}`."""
    bound = bind(PAIR, N=3, y=[1, 2, 3], s=[1, 1, 1])

    assert bound.sizes == {"N": 3}
    assert set(bound.data) == {"y", "s"}


def test_a_size_that_the_data_gives_wrongly_is_refused():
    assert set(codes(PAIR, N=4, y=[1, 2, 3], s=[1, 1, 1])) == {"E0702"}


@pytest.mark.parametrize("wrong", [2.5, -1, [3], True])
def test_a_size_is_one_whole_number(wrong):
    assert "E0702" in codes(PAIR, N=wrong, y=[1, 2, 3], s=[1, 1, 1])


def test_a_length_in_a_formula_is_held_against_the_size():
    text = "given y: real[N]\ngiven z: real[N + 1]\nvar v: real in [0, 1]\nminimize low: v * sum(z)"

    with pytest.raises(EbmError) as raised:
        loads(text).energy({"v": 0.5}, {"y": [1, 2], "z": [1, 2]})

    assert [d.code for d in raised.value.diagnostics] == ["E0702"]
    assert loads(text).energy({"v": 0.5}, {"y": [1, 2], "z": [1, 2, 3]}).item() == 3


def test_all_that_is_missing_or_unknown_is_reported_at_once():
    assert sorted(codes(PAIR, yy=[1, 2])) == ["E0701", "E0701", "E0705"]


def test_data_of_another_rank_is_refused():
    assert codes(PAIR, y=[[1, 2]], s=[1, 2]) == ["E0702"]


def test_sizes_in_several_axes_bind_each_other():
    bound = bind("given a: real[N, M]\ngiven b: real[M]", a=np.zeros((2, 3)), b=np.zeros(3))

    assert bound.sizes == {"N": 2, "M": 3}
