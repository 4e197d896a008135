"""The hand-written forms of the speed kit are the energies that the specs say."""

import pytest
import torch

import ebmlang
from benchmarks.speed.targets import TARGETS
from benchmarks.speed.torch_forms import build_form, by_autograd, by_functional_grad, by_functions

POINTS = 64
ROUNDING = 1e-10


def _target(name):
    return TARGETS[name]()


def _points(target):
    x = torch.tensor(target.points(POINTS))
    # The scale of the eight schools is positive.
    return x.abs() if target.form == "eight_schools" else x


@pytest.mark.parametrize("name", sorted({*TARGETS} - {"tree of terms"}))
def test_energies_differ_from_the_spec_by_a_constant(name):
    target = _target(name)
    form = build_form(target, torch.float64)
    x = _points(target)

    energy = ebmlang.loads(target.text).bind(dict(target.data)).compile().packed().energy(x)

    differences = energy - form.energy(x)
    assert float(differences.std()) < ROUNDING * float(energy.abs().max())


@pytest.mark.slow
def test_a_tree_written_as_terms_is_the_tree_written_as_one():
    target, whole = _target("tree of terms"), _target("tree")
    x = _points(target)

    energy = ebmlang.loads(target.text).compile().packed().energy(x)

    bound = ebmlang.loads(whole.text).bind(dict(whole.data)).compile().packed()
    torch.testing.assert_close(energy, bound.energy(x), rtol=ROUNDING, atol=0)


@pytest.mark.parametrize("name", sorted({*TARGETS} - {"tree of terms"}))
def test_gradients_by_hand_are_those_of_autograd(name):
    target = _target(name)
    form = build_form(target, torch.float64)
    x = _points(target)

    value, slope = form.gradient(x)

    expected, differentiated = by_autograd(form)(x)
    offset = expected - value
    assert float(offset.std()) < ROUNDING * float(expected.abs().max())
    torch.testing.assert_close(slope, differentiated, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("way", [by_functions, by_functional_grad])
def test_other_ways_to_the_gradient_agree(way):
    target = _target("tree")
    form = build_form(target, torch.float64)
    x = _points(target)

    value, slope = way(form)(x)

    expected, differentiated = by_autograd(form)(x)
    torch.testing.assert_close(value, expected, rtol=ROUNDING, atol=0)
    torch.testing.assert_close(slope, differentiated, rtol=ROUNDING, atol=ROUNDING)
