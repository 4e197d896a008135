"""Every number is a pure function of seed, purpose, iteration, chain and place."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ebmlang.sample import streams as module
from ebmlang.sample.philox import philox
from ebmlang.sample.streams import Streams


def streams(chains=64, seed=3, dtype=torch.float64):
    return Streams(seed=seed, chains=torch.arange(chains), dtype=dtype)


@pytest.mark.parametrize("split", [1, 17, 63])
def test_a_chain_has_the_same_numbers_however_the_batch_is_split(split):
    whole = streams()
    parts = [whole.part(slice(0, split)), whole.part(slice(split, 64))]

    for kind in ("normal", "uniform"):
        joined = torch.cat([getattr(part.at(9), kind)("momentum", 5) for part in parts])
        assert torch.equal(joined, getattr(whole.at(9), kind)("momentum", 5))


def test_numbers_do_not_depend_on_what_was_asked_before():
    asked, fresh = streams(), streams()
    for iteration in (0, 1, 500, 3):
        asked.at(iteration).normal("momentum", 4)
        asked.at(iteration).uniform("accept")

    assert torch.equal(asked.at(77).normal("momentum", 4), fresh.at(77).normal("momentum", 4))


@given(
    width=st.integers(1, 11),
    chains=st.sampled_from([1, 5, 70]),
    iteration=st.integers(0, 40_000),
    sizes=st.sampled_from([(1 << 16, 1 << 15), (1 << 9, 7), (1 << 9, 64), (1 << 5, 1)]),
    data=st.data(),
)
def test_numbers_are_those_of_the_words_one_by_one(width, chains, iteration, sizes, data):
    """Whatever the blocks and pieces are in which they are made."""
    chain = data.draw(st.integers(0, chains - 1))
    place = data.draw(st.integers(0, width - 1))
    whole = streams(chains=chains)
    noise = whole.at(iteration)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", sizes[0])
        patch.setattr(module, "PIECE", sizes[1])
        uniform = float(noise.uniform("a", width)[chain, place])
        normal = float(noise.normal("a", width)[chain, place])

    words = philox((place // 4, iteration, noise.word("a"), chain), whole.key)
    shares = [(word + 0.5) / 2**32 for word in words]
    pair, wave = shares[2 * (place % 4 // 2) :][:2], (math.cos, math.sin)[place % 2]
    assert uniform == shares[place % 4]
    expected = math.sqrt(-2 * math.log(pair[0])) * wave(2 * math.pi * pair[1])
    assert normal == pytest.approx(expected, rel=1e-13, abs=1e-13)


def test_more_purposes_than_are_kept_change_nothing():
    many = streams(chains=2)
    first = many.at(0).normal("purpose 0", 3).clone()
    for number in range(200):
        many.at(0).normal(f"purpose {number}", 3)

    assert torch.equal(many.at(0).normal("purpose 0", 3), first)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.at(8).normal("a", 4),
        lambda s: s.at(7).normal("b", 4),
        lambda s: s.at(7).fork("inner").normal("a", 4),
        lambda s: streams(seed=4).at(7).normal("a", 4),
        lambda s: (
            Streams(seed=3, chains=torch.arange(64) + 64, dtype=torch.float64).at(7).normal("a", 4)
        ),
    ],
    ids=["iteration", "purpose", "fork", "seed", "chain"],
)
def test_other_numbers_come_of_another(change):
    s = streams()
    base, other = s.at(7).normal("a", 4), change(s)

    assert not (base == other).any()
    # 256 pairs: the correlation of independent ones is within 4 / 16 but for 1 in 16,000.
    assert abs(float(torch.corrcoef(torch.stack([base.ravel(), other.ravel()]))[0, 1])) < 0.25


def test_variates_have_their_law():
    s = streams(chains=2000)
    normal = torch.cat([s.at(i).normal("a", 7).ravel() for i in range(10)]).numpy()
    uniform = torch.cat([s.at(i).uniform("b", 7).ravel() for i in range(10)]).numpy()

    assert stats.kstest(normal, "norm").pvalue > 1e-3
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


def test_places_and_chains_are_independent():
    z = streams(chains=20_000).at(0).normal("a", 8)

    correlation = torch.corrcoef(z.T) - torch.eye(8, dtype=torch.float64)
    neighbors = torch.corrcoef(torch.stack([z[:-1].ravel(), z[1:].ravel()]))[0, 1]
    # 28 pairs and one more, each within 5 / sqrt(n).
    assert float(correlation.abs().max()) < 5 / 20_000**0.5
    assert abs(float(neighbors)) < 5 / 160_000**0.5


def test_shared_numbers_are_the_same_for_every_part():
    s = streams()

    assert s.at(5).shared("steps") == s.part(slice(9, 10)).at(5).shared("steps")
    values = [s.at(i).shared("steps") for i in range(2000)]
    assert stats.kstest(values, "uniform").pvalue > 1e-3


def test_uniform_variates_leave_out_both_ends_and_normal_ones_are_finite():
    s = streams(chains=10_000, dtype=torch.float32)
    uniform = s.at(0).uniform("a", 100)

    assert 0 < float(uniform.min()) < float(uniform.max()) < 1
    assert s.at(0).normal("a", 100).dtype == torch.float32
    assert bool(torch.isfinite(s.at(0).normal("a", 100)).all())
