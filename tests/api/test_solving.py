"""A model searched by its plan: parts apart, what is proved, and how sure the rest is."""

import numpy as np
import pytest

from ebmlang.api.load import loads
from ebmlang.lower.module import COMPILATIONS
from ebmlang.runs import Designs
from ebmlang.runs.certainty import Sureness
from ebmlang.source import EbmError

EXACT = 1e-6
"""Error of an energy at a minimum that is found, in nats."""


def solve(text: str, **options: object) -> Designs:
    return loads(text).solve(device="cpu", **options)


def sureness(found: Designs) -> Sureness:
    assert found.certainty is not None
    return found.certainty.sureness


# --- blocks --------------------------------------------------------------------------

WELLS = "var x: real in [-3, 3]\nvar y: real in [-3, 3]\n"


@pytest.mark.slow
def test_designs_of_blocks_are_recombined_in_the_order_of_their_energy() -> None:
    """Two wells in `x`, the right one higher by 0.2 or so, and two equal ones in `y`."""
    found = solve(f"{WELLS}minimize e: (x^2 - 1)^2 + 0.1 * x + (y^2 - 4)^2")

    energies = [design.energy for design in found.designs]
    signs = {
        (float(np.sign(d.variables["x"])), float(np.sign(d.variables["y"]))) for d in found.designs
    }
    assert len(found) == 4
    assert signs == {(-1, -1), (-1, 1), (1, -1), (1, 1)}
    assert energies == sorted(energies)
    assert energies[1] == pytest.approx(energies[0], abs=EXACT)
    assert energies[2] > energies[1] + 0.1
    assert sureness(found) is Sureness.LIKELY
    assert "of 2 blocks, in that of" in found.certainty.words


@pytest.mark.slow
def test_blocks_find_what_the_whole_finds() -> None:
    text = (
        f"{WELLS}minimize e: (x^2 - 1)^2 + 0.3 * x + sin(3 * y)\n"
        "require r: x >= -0.5 and y <= 1\nrequire s: y >= -2"
    )

    apart, whole = solve(text), solve(text, method="multistart")

    assert apart[0].energy == pytest.approx(whole[0].energy, abs=EXACT)
    assert all(apart[0].satisfied[path] for path in ("r", "s"))


def test_what_nothing_is_asked_of_makes_no_designs_of_its_own() -> None:
    found = solve("var x: real in [-2, 2]\nvar y: real in [0, 1]\nminimize e: (x^2 - 1)^2")

    assert len(found) == 2
    assert 0 <= float(found[0].variables["y"]) <= 1


def test_a_block_without_a_feasible_point_leaves_the_whole_without_one() -> None:
    """Of `y z - y^2 - z^2` the largest value is 0, at `y = z = 0`."""
    text = (
        "var x: real in [-2, 2]\nvar y: real in [0, 1]\nvar z: real in [0, 1]\n"
        "minimize e: (x^2 - 1)^2\nrequire r: y * z - y^2 - z^2 >= 0.9"
    )

    found = solve(text, starts=8)

    assert len(found) == 0
    assert found.certainty is None
    assert found.nearest is not None
    assert float(found.nearest.margins["r"]) == pytest.approx(-0.9, abs=1e-4)
    assert abs(float(found.nearest.variables["x"])) == pytest.approx(1, abs=1e-3)


def test_designs_of_blocks_are_no_more_than_are_asked_for() -> None:
    found = solve(f"{WELLS}minimize e: (x^2 - 1)^2 + (y^2 - 4)^2", designs=3)

    assert len(found) == 3


def test_parts_are_compiled_once_for_all_data() -> None:
    model = loads(
        "given a: real\nvar x: real in [-3, 3]\nvar y: real in [-3, 3]\n"
        "minimize e: (x^2 - a)^2\nminimize f: y^4 - y^2\nrequire r: y <= -a or y >= a"
    )
    model.solve({"a": 0.5}, device="cpu", starts=4, effort="quick")
    before = dict(COMPILATIONS)

    found = model.solve({"a": 0.75}, device="cpu", starts=4, effort="quick")

    assert dict(COMPILATIONS) == before
    assert float(found[0].variables["x"]) ** 2 == pytest.approx(0.75, abs=1e-4)


# --- ORs -----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_least_of_what_an_or_requires_is_proved_to_be_global() -> None:
    """`x = -1` costs 4 and `x = 1.5` a quarter."""
    found = solve("var x: real\nminimize e: (x - 1)^2\nrequire r: x <= -1 or x >= 1.5")

    assert found[0].energy == pytest.approx(0.25, abs=EXACT)
    assert sureness(found) is Sureness.GLOBAL
    assert len(found) == 2


@pytest.mark.slow
def test_a_narrow_branch_is_found() -> None:
    """A start of the whole would have to fall into a sliver of a millionth of the domain."""
    text = (
        "var x: real[2] in [-1000, 1000]\nminimize e: norm(x)\n"
        "require r: norm(x - 900) <= 1 or norm(x + [500, -300]) <= 0.5"
    )

    found = solve(text)

    assert found[0].energy == pytest.approx(np.hypot(500, 300) - 0.5, abs=1e-4)
    assert sureness(found) is Sureness.GLOBAL


@pytest.mark.slow
def test_a_smooth_or_is_not_said_to_be_global() -> None:
    """Its minimum lies lower than those of its branches: the proof of these says nothing of it."""
    found = solve("var x: real\nprefer e: x == 1 within 0.5 or x == 2 within 0.5\nminimize f: x^2")

    assert sureness(found) is Sureness.LIKELY


@pytest.mark.slow
def test_branches_meet_the_minimum_of_the_whole() -> None:
    text = (
        "var x: real\nprefer e: mix(0.4: x ~ normal(0, 1), 0.6: x ~ normal(2, 1))\n"
        "minimize f: x^2 / 10"
    )

    found, whole = solve(text), solve(text, method="multistart")

    assert found[0].energy == pytest.approx(whole[0].energy, abs=1e-9)


# --- what is never global ------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_a_planted_minimum_is_not_proved_away(seed: int) -> None:
    """A convex bowl, with a well so narrow that no start may fall into it."""
    rng = np.random.default_rng(seed)
    place, depth = rng.uniform(-4, 4, 3).round(3), float(rng.uniform(20, 60))
    text = (
        "var x: real[3] in [-5, 5]\n"
        "minimize bowl: norm(x)^2 / 4\n"
        f"minimize well: -{depth} * exp(-2000 * norm(x - {place.tolist()})^2)"
    )

    found = solve(text, starts=4, effort="quick")

    planted = loads(text).energy({"x": place})
    assert sureness(found) is not Sureness.GLOBAL
    assert found[0].energy > float(planted) or np.allclose(found[0].variables["x"], place, atol=0.1)


@pytest.mark.parametrize(
    "text",
    [
        "var x: real[2] in [-2, 2]\nminimize e: -norm(x)^2",
        "var x: real[2] in [-2, 2]\nminimize e: x[0] * x[1]",
        "var x: real in [-2, 2]\nminimize e: (x^2 - 1)^2",
        "var x: real in [-2, 2]\nminimize e: x\nrequire r: abs(x) >= 1",
        "var x: unit[3]\nminimize e: x[0]",
        "var x: real in [-9, 9]\nprefer e: x ~ student_t(3, 0, 1)",
    ],
)
def test_what_is_not_convex_is_not_said_to_be_global(text: str) -> None:
    assert sureness(solve(text, starts=8, effort="quick")) is not Sureness.GLOBAL


# --- ways and budgets ----------------------------------------------------------------


def test_one_start_is_all_that_a_convex_model_takes() -> None:
    found = solve("var x: real[3]\nminimize e: norm(x - 1)^2")

    assert found.starts == 1
    assert found.certainty.gap < EXACT
    assert found.describe()["certainty"]["sureness"] == "global"


def test_a_way_that_is_asked_for_is_taken() -> None:
    text = "var x: real[3]\nminimize e: norm(x - 1)^2"

    assert solve(text, method="multistart", starts=16).starts == 16


def test_one_start_by_request_is_alone_where_nothing_is_proved() -> None:
    found = solve("var x: real in [-2, 2]\nminimize e: (x^2 - 1)^2", method="one-start")

    assert found.starts == 1
    assert sureness(found) is Sureness.ALONE


@pytest.mark.parametrize("method", ["apart", "branches", "guess"])
def test_a_way_that_there_is_none_of_is_refused(method: str) -> None:
    with pytest.raises(EbmError) as caught:
        solve("var x: real in [-2, 2]\nminimize e: (x^2 - 1)^2", method=method)

    assert caught.value.diagnostics[0].code == "E0907"


def test_an_effort_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(EbmError) as caught:
        solve("var x: real in [-2, 2]\nminimize e: (x^2 - 1)^2", effort="heroic")

    assert caught.value.diagnostics[0].code == "E0903"


@pytest.mark.slow
def test_more_effort_is_more_starts() -> None:
    text = "var x: real in [-2, 2]\nminimize e: (x^2 - 1)^2"

    assert [solve(text, starts=8, effort=e).starts for e in ("quick", "thorough")] == [8, 24]


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "apart", "diverse": True},
        {"method": "one-start", "effort": "thorough"},
        {"method": "one-start", "starts": 128},
    ],
    ids=["diverse parts", "one start with effort", "one start and many"],
)
def test_what_a_way_of_solving_has_no_use_for_is_refused(asked) -> None:
    with pytest.raises(EbmError) as refusal:
        solve("var x: real\nvar y: real\nminimize e: x^2 + y^2", **asked)

    assert [d.code for d in refusal.value.diagnostics] == ["E0904"]
