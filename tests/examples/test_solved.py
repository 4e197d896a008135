"""The examples that are solved, in their short form, against known answers and their geometry."""

import numpy as np
import pytest

import ebmlang
from tests.examples.folder import EXAMPLES


def test_the_desk_has_designs_on_both_sides():
    designs = ebmlang.load(EXAMPLES / "desk.ebm").solve(seed=0, starts=32)

    lamps = np.array([d.variables["lamp"] for d in designs])
    cups = np.array([d.variables["cup"] for d in designs])

    assert all(d.energy == pytest.approx(0, abs=1e-9) for d in designs)
    assert (np.linalg.norm(lamps - cups, axis=1) >= 30).all()
    sides = np.linalg.norm(lamps[:, None] - [[0, 30], [120, 30]], axis=2) <= 10
    assert sides.any(axis=1).all()
    assert sides.any(axis=0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "ground"), [(7, -16.505384), (13, -44.326801)])
def test_a_cluster_reaches_its_known_ground_state(size, ground):
    """Wales and Doye, J. Phys. Chem. A 101 (1997), table 1."""
    model = ebmlang.load(EXAMPLES / "cluster.ebm", constants={"N": size})

    best = model.solve(seed=0)[0]

    assert best.energy == pytest.approx(ground, abs=1e-4)


@pytest.mark.slow
def test_the_arm_reaches_a_goal_and_touches_no_disc():
    model = ebmlang.load(EXAMPLES / "arm.ebm")
    best = model.solve(seed=0, starts=8, effort="quick", method="multistart")[0]

    turns = np.asarray(best.variables["turns"])
    angles = np.cumsum(np.vstack([np.zeros(6), turns]), axis=0)
    headings = np.cumsum(angles, axis=1)
    steps = np.stack([np.cos(headings), np.sin(headings)], axis=-1) / 6
    joints = np.concatenate([np.zeros((21, 1, 2)), np.cumsum(steps, axis=1)], axis=1)
    along = np.linspace(0, 1, 101)[:, None]
    starts, ends = joints[:, :-1, None], joints[:, 1:, None]
    points = (1 - along) * starts + along * ends  # [time, link, place, axis]

    discs = np.array([[0.55, 0.4], [0.6, -0.35]])
    distances = np.linalg.norm(points[..., None, :] - discs, axis=-1)
    assert distances.min() >= 0.15 - 1e-9
    goals = np.array([[-0.3, 0.6], [0.1, -0.8]])
    assert np.linalg.norm(joints[-1, -1] - goals, axis=1).min() <= 0.01
    assert np.abs(turns).max() <= 0.3
    np.testing.assert_allclose(best.reports["arm_path"], joints[-1], atol=1e-9)


@pytest.mark.slow
def test_a_cloud_keeps_its_droplets_apart_and_weighs_them_as_written():
    best = ebmlang.load(EXAMPLES / "cloud.ebm").solve(seed=0, starts=16)[0]

    at = {path: np.asarray(value) for path, value in best.variables.items()}
    left = (at["sky.left.first.at"] + at["sky.left.second.at"]) / 2
    right = (at["sky.right.first.at"] + at["sky.right.second.at"]) / 2

    assert np.linalg.norm(left - right) >= 2.5
    # Nothing binds but `distance`: the sum of squares is least when both are 1.25 from the origin.
    assert best.energy == pytest.approx(2 * 1.25**2, abs=1e-6)


def test_weights_multiply_down_the_cloud():
    model = ebmlang.load(EXAMPLES / "cloud.ebm")
    far = {
        f"sky.{side}.{atom}.at": [[4.0, 4.0]]
        for side in ("left", "right")
        for atom in ("first", "second")
    }

    plain = model.terms(far)
    heavy = model.terms(far, weights={"sky.right": 6.0})

    ratio = heavy.energies["sky.right.second.home"] / plain.energies["sky.right.second.home"]
    assert float(ratio) == pytest.approx(3)
    # C of one atom at distance d from home is ((d - 0.5) / 0.25)^2 / 2, here times 1.5 * 2 * 0.5.
    distance = np.linalg.norm(np.array([4.0, 4.0]) - [1.75, 0.0])
    expected = 1.5 * 2 * 0.5 * ((distance - 0.5) / 0.25) ** 2 / 2
    assert float(plain.energies["sky.right.second.home"]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_ten_different_pages_are_laid_out_and_no_box_lies_on_another():
    model = ebmlang.load(EXAMPLES / "layout.ebm")

    found = model.solve(designs=10, diverse=True, band=50, starts=80, seed=0)

    assert len(found) == 10
    for design in found:
        corners = np.asarray(design.reports["corners"])
        low, high = corners[:, :2], corners[:, 2:]
        gaps = np.maximum(low[:, None] - high, low - high[:, None]).max(-1)
        assert gaps[np.triu_indices(12, 1)].min() >= 0.5
        assert low.min() >= 0
        assert (high <= [21, 29]).all()
    pages = np.array([design.reports["corners"] for design in found])
    apart = np.abs(pages[:, None] - pages).max((2, 3))[np.triu_indices(10, 1)]
    # Any two pages have a box that is not where the other has it [cm].
    assert apart.min() > 5
