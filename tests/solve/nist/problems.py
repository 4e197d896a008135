"""NIST's nonlinear regression problems: files as published, and specs beside them.

Source: National Institute of Standards and Technology, Statistical Reference Datasets, nonlinear
regression; https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml. The header of each file says
which of its lines hold what.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.dat")))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regression:
    """One problem: both starting points, certified values, data."""

    name: str
    starts: np.ndarray
    certified: np.ndarray
    squares: float
    x: np.ndarray
    y: np.ndarray

    @property
    def spec(self) -> Path:
        return HERE / f"{self.name}.ebm"


@cache
def read(name: str) -> Regression:
    lines = (HERE / f"{name}.dat").read_text().splitlines()
    parameters = np.array([numbers(line.split("=")[1])[:3] for line in part(lines, "Starting")])
    (squares,) = [line for line in lines if line.startswith("Residual Sum of Squares")]
    data = np.array([numbers(line) for line in part(lines, "Data")])
    return Regression(
        name=name,
        starts=parameters[:, :2].T,
        certified=parameters[:, 2],
        squares=numbers(squares.split(":")[1])[0],
        x=data[:, 1],
        y=data[:, 0],
    )


def part(lines: list[str], title: str) -> list[str]:
    """Return the lines that the header gives to a part of the file."""
    (where,) = [
        m for line in lines if (m := re.search(rf"{title}.*lines +(\d+) to +(\d+)", line, re.I))
    ]
    return lines[int(where[1]) - 1 : int(where[2])]


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]
