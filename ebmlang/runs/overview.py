"""Runs at a glance, and two of them side by side, from what their folders say."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ebmlang.runs.directory import SUFFIX, RunDirectory, open_run
from ebmlang.runs.manifest import Settings
from ebmlang.source import Diagnostic, EbmError

UNFINISHED = "unfinished"
"""The status of a run that goes on, or was stopped by a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A run at a glance.

    Attributes:
        path: Its folder.
        spec: The name of the spec's file.
        status: `trusted`, `untrusted`, `interrupted` or `unfinished`.
        draws: Draws of each chain that there are.
        settings: How it is sampled.
    """

    path: Path
    spec: str
    status: str
    draws: int
    settings: Settings

    def describe(self) -> dict[str, Any]:
        """Return it as plain data, for JSON (hence Any)."""
        settings = asdict(self.settings)
        wanted = settings.pop("draws")
        return {
            "path": str(self.path),
            "spec": self.spec,
            "status": self.status,
            "draws": self.draws,
            "wanted": wanted,
            **settings,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedQuantity:
    """A scalar quantity in two runs.

    Attributes:
        name: Such as `theta[3]`.
        means: In the first run and in the second.
        errors: Monte Carlo standard errors of the means.
        z: The difference of the means, second minus first, in errors of the difference; far from 0
            where the runs are not of one density, or at least one has not converged.
        efficiency: Logarithm of the second run's bulk ESS per second over the first's; above 0
            where the second is faster. nan where it is not known.
    """

    name: str
    means: tuple[float, float]
    errors: tuple[float, float]
    z: float
    efficiency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        quantities: Those that both have.
        differences: What the runs were made with where it differs, by name, in both.
    """

    quantities: tuple[ComparedQuantity, ...]
    differences: Mapping[str, tuple[str, str]]

    def describe(self) -> dict[str, Any]:
        """Return it as plain data, for JSON (hence Any)."""
        return asdict(self)


def list_runs(folder: Path) -> tuple[Overview, ...]:
    """Return the runs in a folder, by name; what cannot be read as one is left out."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(look_at(open_run(path)))
        except EbmError:
            # A list is no place to complain: `show` says what is wrong with a run.
            continue
    return tuple(found)


def look_at(run: RunDirectory) -> Overview:
    """Return a run at a glance."""
    verdict = run.read_verdict()
    return Overview(
        path=run.path,
        spec=run.manifest.name,
        status=UNFINISHED if verdict is None else str(verdict["status"]),
        draws=run.draws,
        settings=run.manifest.settings,
    )


def require_verdict(run: RunDirectory) -> dict[str, Any]:
    """Return the verdict of a run as plain data, hence Any.

    Raises:
        EbmError: E0809 where it has none yet.
    """
    verdict = run.read_verdict()
    if verdict is None:
        raise EbmError(
            Diagnostic(
                code="E0809",
                headline=f"`{run.path}` has not ended: there are {run.draws} of "
                f"{run.manifest.settings.draws} draws, and no verdict on them",
                helps=(f"`ebm sample --resume {run.path}` goes on with it",),
            )
        )
    return verdict


def compare_runs(first: RunDirectory, second: RunDirectory) -> Comparison:
    """Return two runs side by side.

    Raises:
        EbmError: E0809 where one has no verdict yet, E0806 where one cannot be read.
    """
    verdicts = require_verdict(first), require_verdict(second)
    rows = [{row["name"]: row for row in verdict["summary"]} for verdict in verdicts]
    seconds = [float(verdict["seconds"]["draws"]) for verdict in verdicts]
    return Comparison(
        quantities=tuple(
            _compare(name, (rows[0][name], rows[1][name]), (seconds[0], seconds[1]))
            for name in rows[0]
            if name in rows[1]
        ),
        differences=_find_differences(first, second),
    )


def _compare(
    name: str, rows: tuple[dict[str, Any], dict[str, Any]], seconds: tuple[float, float]
) -> ComparedQuantity:
    means = _number(rows[0]["mean"]), _number(rows[1]["mean"])
    errors = _number(rows[0]["mcse"]), _number(rows[1]["mcse"])
    error = math.hypot(*errors)
    speeds = [_number(row["ess_bulk"]) / max(s, 1e-9) for row, s in zip(rows, seconds, strict=True)]
    known = all(speed > 0 for speed in speeds)
    return ComparedQuantity(
        name=name,
        means=means,
        errors=errors,
        z=(means[1] - means[0]) / error if error > 0 else math.nan,
        efficiency=math.log(speeds[1] / speeds[0]) if known else math.nan,
    )


def _number(value: float | None) -> float:
    """Return a number; JSON has null for one that is none."""
    return math.nan if value is None else float(value)


def _find_differences(first: RunDirectory, second: RunDirectory) -> dict[str, tuple[str, str]]:
    sides = [
        {
            "spec": f"{run.manifest.name} {run.manifest.spec_hash[:8]}",
            "data": run.manifest.data_hash[:8],
            "weights": str(dict(run.manifest.weights)),
            **{name: str(value) for name, value in asdict(run.manifest.settings).items()},
            **run.manifest.versions,
            "device": ", then ".join(dict.fromkeys(s.device for s in run.manifest.sessions)),
        }
        for run in (first, second)
    ]
    names = dict.fromkeys([*sides[0], *sides[1]])
    pairs = {name: (sides[0].get(name, ""), sides[1].get(name, "")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
