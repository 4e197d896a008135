"""Designs and draws with known numbers, to be drawn."""

from collections.abc import Mapping

import numpy as np

from ebmlang.plot.drawn import SampledRun
from ebmlang.plot.solved import SolvedRun


def solved(
    *,
    count: int = 3,
    variables: Mapping[str, np.ndarray] | None = None,
    reports: Mapping[str, np.ndarray] | None = None,
    nearest: bool = False,
) -> SolvedRun:
    """Designs of energies 1, 2, ..., each of two terms and two constraints."""
    energies = np.arange(1.0, count + 1)
    return SolvedRun(
        status="infeasible" if nearest else "solved",
        nearest=nearest,
        energies=energies,
        terms={"side": 0.25 * energies, "reach": 0.75 * energies},
        margins={"side": energies - 1.5, "apart": energies + 10},
        variables={"x": np.arange(count * 3.0).reshape(count, 3)}
        if variables is None
        else variables,
        reports={} if reports is None else reports,
        end_energies=np.array([4.0, 1.0, 2.0, 1.0]),
        end_feasible=np.array([True, True, False, True]),
    )


def drawn(*, chains: int = 4, draws: int = 50, seed: int = 0) -> SampledRun:
    """Independent normal draws of a pair, of a number that is bad, and of a curve over an axis."""
    rng = np.random.default_rng(seed)
    axis = np.broadcast_to(np.linspace(0, 1, 9), (chains, draws, 9))
    curve = np.stack([axis, rng.normal(size=(chains, draws, 9))], axis=-1)
    return SampledRun(
        status="trusted",
        variables={
            "x": rng.normal(size=(chains, draws, 2)),
            "bad": rng.normal(size=(chains, draws)),
        },
        reports={"fit_path": curve},
        energies=rng.gamma(1.0, size=(chains, draws)),
        health={"x[0]": (1.0, 180.0), "x[1]": (1.0, 190.0), "bad": (1.5, 7.0)},
    )
