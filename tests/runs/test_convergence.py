import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from ebmlang.runs.concerns import Sign
from ebmlang.runs.convergence import RunFacts, judge


def facts(chains: int = 4, **changes: object) -> RunFacts:
    plain = {
        "acceptance": np.full(chains, 0.9),
        "divergences": np.zeros(chains, dtype=int),
        "moved": np.full(chains, 0.9),
        "infeasible": np.zeros(chains, dtype=int),
        "iterations": 500,
    }
    return RunFacts(**{**plain, **changes})


def independent(*shape: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(1).normal(size=shape)


def test_independent_draws_are_trusted() -> None:
    verdict = judge({"x": independent(4, 500, 2, 2)}, facts())

    assert verdict.trusted
    assert verdict.reasons == ()
    assert [row.name for row in verdict.table] == ["x[0, 0]", "x[0, 1]", "x[1, 0]", "x[1, 1]"]


def test_the_table_holds_the_moments_and_the_error_of_independent_draws() -> None:
    values = independent(4, 1000)

    row = judge({"x": values}, facts()).table[0]

    assert row.mean == pytest.approx(values.mean())
    assert row.sd == pytest.approx(values.std())
    # 4000 independent draws: the error is sd / sqrt(4000), known to some 10%.
    assert row.mcse == pytest.approx(values.std() / np.sqrt(4000), rel=0.2)
    assert row.ess_bulk == pytest.approx(4000, rel=0.2)


def test_chains_in_different_modes_are_not_trusted() -> None:
    values = independent(4, 500) + np.array([0, 0, 10, 10])[:, None]

    verdict = judge({"x": values}, facts())

    assert not verdict.trusted
    assert "the chains disagree" in verdict.reasons[0]
    assert "2 of 4 chains stay apart in `x`" in verdict.reasons[0]
    assert any("modes" in advice for advice in verdict.advice)


def test_slow_chains_have_too_few_independent_draws() -> None:
    """A first-order autoregression of 0.99 has an effective size 199 times smaller."""
    noise = independent(4, 4000)
    values = np.zeros_like(noise)
    for i in range(1, 4000):
        values[:, i] = 0.99 * values[:, i - 1] + noise[:, i]

    verdict = judge({"x": values[:, 1000:]}, facts())

    assert not verdict.trusted
    assert any("bulk ESS" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"divergences": np.array([0, 3, 0, 0])}, "3 of 2000 trajectories diverged"),
        ({"moved": np.array([0.9, 0.0, 0.9, 0.9])}, "one of 4 chains never moved"),
        ({"acceptance": np.array([0.9, 0.01, 0.01, 0.9])}, "2 of 4 chains accepted less than 5%"),
        ({"bfmi": np.array([0.9, 0.1, 0.9, 0.2])}, "BFMI is 0.1 in 2 of 4 chains"),
    ],
)
def test_each_sign_of_a_sick_chain_is_named(changes: dict[str, object], words: str) -> None:
    verdict = judge({"x": independent(4, 500)}, facts(**changes))

    assert not verdict.trusted
    assert words in verdict.reasons[0]
    assert len(verdict.advice) == 1


def test_requirements_are_blamed_where_they_reject_most() -> None:
    sick = facts(acceptance=np.full(4, 0.01), infeasible=np.full(4, 490))

    verdict = judge({"x": independent(4, 500)}, sick)

    assert "something required did not hold" in verdict.reasons[0]


@pytest.mark.parametrize("is_flat", [False, True])
def test_full_acceptance_is_remarked_unless_the_energy_is_flat(is_flat: bool) -> None:
    """Steps that are too small cost time and nothing else, as long as chains get about."""
    sure = facts(acceptance=np.ones(4), bfmi=np.ones(4), is_flat=is_flat)

    verdict = judge({"x": independent(4, 500)}, sure)

    assert verdict.trusted
    assert ("accepted nearly every move" in "".join(verdict.remarks)) is not is_flat


def test_divergences_too_rare_to_matter_are_remarked() -> None:
    verdict = judge({"x": independent(4, 500)}, facts(divergences=np.array([0, 1, 0, 0])))

    assert verdict.trusted
    assert verdict.remarks == ("1 of 2000 trajectories diverged",)


def test_divergences_of_many_chains_that_agree_are_remarked() -> None:
    """Some of many chains begin where trajectories diverge; if stuck there, they would disagree."""
    many = facts(200, divergences=np.full(200, 2), iterations=100)

    verdict = judge({"x": independent(200, 100)}, many)

    assert verdict.trusted
    assert verdict.remarks == ("400 of 20000 trajectories diverged",)


@pytest.mark.parametrize(("still", "trusted"), [(2, True), (3, False)])
def test_one_percent_of_the_chains_may_stand_still(still: int, trusted: bool) -> None:
    moved = np.where(np.arange(200) < still, 0.0, 0.9)

    verdict = judge({"x": independent(200, 100)}, facts(200, moved=moved, iterations=100))

    assert verdict.trusted is trusted
    assert f"{still} of 200 chains never moved" in (*verdict.reasons, *verdict.remarks)


def test_fewer_than_four_chains_are_not_trusted() -> None:
    verdict = judge({"x": independent(2, 2000)}, facts(2))

    assert verdict.reasons == ("2 chains cannot show that they agree",)


def test_a_single_chain_is_judged_without_r_hat() -> None:
    verdict = judge({"x": independent(1, 2000)}, facts(1))

    assert not verdict.trusted
    assert np.isnan(verdict.table[0].rhat)


def test_a_constant_quantity_speaks_neither_for_nor_against() -> None:
    """A fixed unknown, or the one entry of a simplex of size one."""
    values = {"x": independent(4, 500), "c": np.full((4, 500), 0.1)}

    verdict = judge(values, facts())

    assert verdict.trusted
    assert verdict.table[1].sd == 0


def test_chains_that_each_stand_still_elsewhere_disagree() -> None:
    values = np.arange(4.0)[:, None] + np.zeros((4, 500))

    verdict = judge({"x": values}, facts())

    assert not verdict.trusted
    assert verdict.table[0].rhat == np.inf


def test_values_that_are_not_finite_are_not_trusted() -> None:
    values = independent(4, 500)
    values[0, 0] = np.nan

    assert not judge({"x": values}, facts()).trusted


@pytest.mark.parametrize("draws", [0, 1, 7])
def test_too_few_draws_are_not_trusted(draws: int) -> None:
    verdict = judge({"x": independent(4, draws)}, facts(iterations=draws))

    assert not verdict.trusted


def test_tails_without_a_variance_are_not_trusted() -> None:
    """Of a Cauchy law neither mean nor sd exists, whatever R-hat says."""
    values = np.random.default_rng(2).standard_cauchy((4, 1000))

    verdict = judge({"x": values}, facts(iterations=1000))

    assert [concern.sign for concern in verdict.concerns] == [Sign.PARETO_K]


def test_fast_chains_that_were_not_warmed_up_drift() -> None:
    """They forget where they began within the first half, so that nested R-hat says nothing."""
    values = independent(256, 100)
    values[:, :20] += 3

    verdict = judge({"x": values}, facts(256, iterations=100))

    assert Sign.DRIFT in {concern.sign for concern in verdict.concerns}
    assert Sign.R_HAT not in {concern.sign for concern in verdict.concerns}


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(4, 500, 100), (128, 20, 100)])
def test_no_quantity_of_a_hundred_raises_a_false_alarm(shape: tuple[int, int, int]) -> None:
    """More than one alarm in 20 runs would be too many; so in 5 there is none."""
    rng = np.random.default_rng(3)

    verdicts = [judge({"x": rng.normal(size=shape)}, facts(shape[0])) for _ in range(5)]

    assert all(verdict.trusted for verdict in verdicts)


def test_half_precision_of_the_draws_is_no_obstacle() -> None:
    assert judge({"x": independent(4, 500).astype(np.float32)}, facts()).trusted


def test_arviz_is_loaded_only_for_a_verdict() -> None:
    code = "import sys, ebmlang.runs.convergence; print('arviz_stats' in sys.modules)"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("chains", "diverged", "trusted"), [(4, 1, False), (4, 0, True), (200, 1, False)]
)
def test_chains_that_reject_in_the_tails_and_diverge_are_not_trusted(
    chains: int, diverged: int, trusted: bool
) -> None:
    values = independent(chains, 1000)
    from_tails = np.abs(np.roll(values, 1, axis=1)) > 2
    divergences = np.zeros(chains, dtype=int)
    divergences[0] = diverged
    acceptances = np.where(from_tails, 0.3, 0.9)
    known = facts(chains, iterations=1000, acceptances=acceptances, divergences=divergences)

    verdict = judge({"x": values}, known)

    assert verdict.trusted is trusted
    said = "moves from the tails of `x` are accepted 0.34 times as often as others"
    assert said in "".join((*verdict.reasons, *verdict.remarks))
