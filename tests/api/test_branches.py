"""A spec with an OR at its top, drawn branch by branch."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import chi2

import ebmlang
from ebmlang import EbmError
from ebmlang.api import normalizers
from tests.api.test_normalizers import answer


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(normalizers, "cache_folder", lambda: tmp_path)


def shares(samples, count):
    branch = samples.values.stats["branch"]
    return np.bincount(branch.astype(int).ravel(), minlength=count) / branch.size


def mixture(density, held=""):
    return ebmlang.loads(f"var x: real\nprefer place: {density}\n{held}")


APART = "mix(0.2: x ~ normal(-30, 1), 0.8: x ~ normal(30, 2))"


def test_modes_that_nothing_crosses_between_have_their_masses():
    samples = mixture(APART).sample(chains=8, warmup=100, draws=200)

    left = samples.draws["x"] < 0
    assert samples.manifest.settings.method == "branches"
    np.testing.assert_allclose(shares(samples, 2), [0.2, 0.8], atol=0.01)
    assert np.array_equal(left, samples.values.stats["branch"] == 0)
    np.testing.assert_allclose(
        samples.energies, mixture(APART).energy({"x": samples.draws["x"].ravel()}).reshape(8, 200)
    )


def test_the_same_seed_gives_the_same_draws():
    first, again, other = (
        mixture(APART).sample(chains=4, warmup=20, draws=20, seed=seed).draws["x"]
        for seed in (1, 1, 2)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_the_masses_under_another_term_are_those_of_the_integrals():
    model = mixture(APART.replace("30", "3"), "prefer held: x ~ normal(1, 2)")

    samples = model.sample(chains=8, warmup=100, draws=300)

    # The product of two normal densities integrates to a normal density of the difference of their
    # means, with the sum of their variances.
    masses = np.array(
        [w * NormalDist(m, math.hypot(s, 2)).pdf(1) for w, m, s in ((0.2, -3, 1), (0.8, 3, 2))]
    )
    np.testing.assert_allclose(shares(samples, 2), masses / masses.sum(), atol=0.01)


@pytest.mark.slow
def test_energies_of_ten_dimensions_that_are_normalized_have_their_masses():
    text = """
    var x: real[10]
    fn bowl(sd: real) = energy(sum(x^2) / (2 * sd^2))
    prefer place: mix(0.9: normalize(bowl(1.0)), 0.1: normalize(bowl(0.25)))
    report square = sum(x^2)
    """

    samples = ebmlang.loads(text).sample(chains=8, warmup=200, draws=800)

    # What a threshold between the two tells apart, whatever is said of branches.
    near = 1.6
    expected = 0.9 * chi2.cdf(near, 10) + 0.1 * chi2.cdf(near / 0.25**2, 10)
    assert abs((samples.reports["square"] < near).mean() - expected) < 0.01
    np.testing.assert_allclose(shares(samples, 2), [0.9, 0.1], atol=0.01)
    assert samples.verdict.trusted, samples.verdict.reasons


def test_what_is_required_holds_in_every_branch(monkeypatch):
    # Half of either is cut off; an estimate would say as much.
    monkeypatch.setattr(
        normalizers, "estimate_log_partition", lambda density, seed: answer(-math.log(2))
    )
    model = mixture("x ~ normal(3, 0.5) or x ~ normal(-3, 0.5)", "require out: abs(x) >= 3")

    samples = model.sample(chains=8, warmup=50, draws=50)

    assert samples.manifest.settings.method == "branches"
    assert (np.abs(samples.draws["x"]) >= 3).all()
    np.testing.assert_allclose(shares(samples, 2), [0.5, 0.5], atol=0.05)


def test_a_mass_that_cannot_be_relied_on_stops_the_run(monkeypatch):
    doubtful = answer(reasons=("the islands' own values spread by 3 nats",))
    monkeypatch.setattr(normalizers, "estimate_log_partition", lambda density, seed: doubtful)
    model = mixture("x ~ normal(3, 1) or x ~ normal(-3, 1)", "prefer held: x ~ normal(0, 1)")

    with pytest.raises(EbmError) as refusal:
        model.sample(chains=4, warmup=10, draws=10)

    (found,) = refusal.value.diagnostics
    assert found.code == "E0715"
    assert "`place[0]`" in found.headline
    assert model.bind(accept_unreliable=True).sample(chains=4, warmup=10, draws=10)


def test_what_has_no_branches_is_not_drawn_by_them():
    with pytest.raises(EbmError) as refusal:
        mixture("x ~ normal(0, 1)").sample(chains=4, warmup=10, draws=10, method="branches")

    assert [d.code for d in refusal.value.diagnostics] == ["E0907"]


def test_another_method_draws_the_whole():
    samples = mixture(APART).sample(chains=4, warmup=20, draws=20, method="hmc")

    assert not samples.values.stats["branch"].any()


def test_an_explained_spec_lists_its_branches():
    from ebmlang.api.explain_spec import describe_facts

    sampler = describe_facts(mixture(APART))["sampler"]

    assert sampler["method"] == "branches"
    assert [b["name"] for b in sampler["branches"]] == ["place[0]", "place[1]"]
    assert [b["share"] for b in sampler["branches"]] == pytest.approx([0.2, 0.8])
