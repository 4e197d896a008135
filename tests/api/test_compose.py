"""Energies from Python, composed by the rules of the language."""

import math

import pytest
import torch

import ebmlang
from ebmlang import EbmError

near = ebmlang.term(lambda x: 1 - x.norm(dim=-1), "x", name="near")
right = ebmlang.term(lambda x: x[..., 0], "x", name="right")
bowl = ebmlang.term(lambda x: (x**2).sum(-1), "x", sort="energy", name="bowl")
PLANE = {"x": "real[2] in [-2, 2]"}


def half_square(violation: float) -> float:
    return violation**2 / 2


def test_a_constraint_from_python_has_the_energy_of_its_margin():
    model = ebmlang.compose(PLANE, prefer={"close": near})

    assert model.energy({"x": [0.5, 0.0]}).item() == 0
    assert model.energy({"x": [2.0, 0.0]}).item() == pytest.approx(half_square(1))


def test_and_or_not_mean_what_they_mean_in_the_language():
    model = ebmlang.compose(PLANE, prefer={"a": near & right, "o": near | right, "n": ~near})
    far_left = {"x": [-2.0, 0.0]}

    energies = model.terms(far_left).energies

    both = [half_square(1), half_square(2)]
    noisy_or = -math.log(1 - math.prod(1 - math.exp(-c) for c in both))
    assert energies["a"].item() == pytest.approx(sum(both))
    assert energies["o"].item() == pytest.approx(noisy_or)
    assert energies["n"].item() == 0


def test_de_morgan_holds_for_formulas_from_python():
    model = ebmlang.compose(PLANE, prefer={"a": ~(near | right), "b": ~near & ~right})

    values = model.terms({"x": [[0.3, 0.2], [1.5, -1.0], [-0.2, 0.4]]})

    assert torch.equal(values.energies["a"], values.energies["b"])
    assert torch.equal(values.margins["a"], values.margins["b"])


@pytest.mark.slow
def test_a_composition_is_solved_and_sampled_like_any_model():
    model = ebmlang.compose(
        PLANE, require={"right": right}, prefer={"ring": ~near}, minimize={"small": bowl}
    )

    best = model.solve(starts=8)[0]
    samples = model.sample(chains=4, warmup=50, draws=20)

    # The energy is u^2 + (1 - u)^2 / 2 at distance u, least at u = 1/3 where it is 1/3.
    assert best.energy == pytest.approx(1 / 3, abs=1e-6)
    assert best.satisfied["right"]
    assert samples.draws["x"].shape == (4, 20, 2)
    assert (samples.draws["x"][..., 0] >= 0).all()


def test_text_of_the_language_stands_beside_functions():
    model = ebmlang.compose(
        {**PLANE, "z": "real ~ normal(0, 1)"},
        givens={"level": "real = 2"},
        prefer={"even": "x[0] == x[1] within 0.1", "close": near},
        minimize={"high": "-z * level"},
    )

    assert model.solve(starts=4)[0].variables["z"] == pytest.approx(2, abs=1e-6)


def test_functions_of_one_name_are_told_apart():
    model = ebmlang.compose(
        {"x": "real in [0, 9]"},
        prefer={
            "a": ebmlang.term(lambda x: x - 2, "x"),
            "b": ebmlang.term(lambda x: x - 3, "x"),
            "c": ebmlang.term(lambda x: x - 4, "x", name="norm"),
        },
    )

    margins = model.terms({"x": 0.0}).margins

    assert [margins[path].item() for path in "abc"] == [-2, -3, -4]


@pytest.mark.parametrize(
    ("formula", "code"), [(~bowl, "E0307"), (bowl | bowl, "E0306"), (near | bowl, "E0306")]
)
def test_or_and_not_on_an_energy_are_refused_with_the_language_s_own_message(formula, code):
    with pytest.raises(EbmError) as raised:
        ebmlang.compose(PLANE, prefer={"a": formula})

    assert raised.value.diagnostics[0].code == code


def test_an_energy_can_be_added_to_a_constraint():
    model = ebmlang.compose(PLANE, prefer={"both": near & bowl})

    assert model.energy({"x": [2.0, 0.0]}).item() == pytest.approx(half_square(1) + 4)


def test_an_unknown_variable_is_reported_by_name():
    with pytest.raises(EbmError) as raised:
        ebmlang.compose(PLANE, prefer={"a": ebmlang.term(lambda y: y, "y")})

    assert raised.value.diagnostics[0].code == "E0201"


def test_gradients_go_through_functions_from_python():
    point = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)

    energy = ebmlang.compose(PLANE, minimize={"low": bowl}).energy({"x": point})

    assert torch.autograd.grad(energy, point)[0].tolist() == [4.0, 0.0]


def test_an_and_of_energies_is_minimized_as_their_sum():
    bowl = ebmlang.term(lambda x: (x**2).sum(-1), "x", sort="energy")
    slope = ebmlang.term(lambda x: -2 * x[..., 0], "x", sort="energy")

    model = ebmlang.compose({"x": "real[2] in [-2, 2]"}, minimize={"both": bowl & slope})

    assert float(model.energy({"x": [1.0, 1.0]})) == pytest.approx(0)
    assert model.solve(starts=4)[0].energy == pytest.approx(-1)


def test_python_s_own_words_and_other_things_do_not_join_formulas():
    near = ebmlang.term(lambda x: 1 - x.abs(), "x")

    with pytest.raises(TypeError, match="join with"):
        bool(near)
    with pytest.raises(TypeError):
        near & 3  # type: ignore[operator]
