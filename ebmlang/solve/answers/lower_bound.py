"""A proof that a point is a global minimum of a convex problem, and how far it may be off.

A convex energy E lies above each of its tangents, and a concave margin r below each of its own:

    E(x) >= E(y) + E'(y) (x - y),        r(x) <= r(y) + r'(y) (x - y)        for every y

So the least value that all these lines allow over the domain is a lower bound of E there, and a
linear program finds it; its dual variables are the multipliers. Its distance to the energy of
the best point is the *gap*, a duality gap. Where E is smooth, tangents at the best point and at
its neighbors along each coordinate make the gap vanish with the square of their distance. Where
E has kinks the program's own solution says where the next tangent is wanted, and may be a better
point.

Where the domain has no bounds the program searches a box of `REACH` lengths around the point. What
lies beyond, at k times the distance of the box, can be lower by k times the gap at most, since E is
convex along the way to it; and where the best point of the box is not well inside of it, nothing
is proved.

Sources: Kelley, The cutting-plane method for solving convex programs (1960); Boyd and Vandenberghe,
Convex Optimization, sections 3.1.3 and 5.5.1; Jaggi, Revisiting Frank-Wolfe (2013), section 2, for
the gap of a single tangent.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.runtime import Deadline, Target
from ebmlang.spaces import SolvingChart
from ebmlang.spaces.pieces import Piece, PieceKind
from ebmlang.spaces.projection import project

Array: TypeAlias = NDArray[np.float64]

ENOUGH_POWER = 2 / 5
"""Power of eps that makes the gap small enough, relative to the energy or to 1 [nats]."""

NEIGHBORS = (1e-5, 1e-7, 1e-3)
"""How far the neighbors are, in lengths of each coordinate, one after the other. The gap is
about half the curvature times the square of it, while what it tells of a slope drowns in
round-off where it is too small."""

REACH = 1e3
"""Half the width of the box that stands in for an unbounded domain, in lengths."""

MOST_NEIGHBORED = 200
"""Unknown numbers past which there are no neighbors: each adds two rows to a dense program."""

MOST_PROGRAMS = 60
"""Linear programs that are solved at most."""

MOST_MARGINS = 512
"""Required margins past which there is no certificate: each has a gradient of its own."""

NEAR = 1e-2
"""Margin below which tangents are added around the best point [tolerances]."""

EXACT = 1e-10
"""Tolerance of the linear programs, the least that their solver takes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """What is proved of a point.

    Attributes:
        gap: No point of the domain that holds every requirement is lower by more than this [nats].
        enough: Whether that is so little that the point is a global minimum to working accuracy.
        point: The best point known: the one asked about, or a lower one that was met on the way.
        energy: Its energy [nats].
    """

    gap: float
    enough: bool
    point: Float[Tensor, " dim"]
    energy: float


def certify(
    target: Target,
    chart: SolvingChart,
    points: Float[Tensor, "point dim"],
    deadline: Deadline,
) -> Certificate | None:
    """Bound a convex problem from below.

    Args:
        target: An energy known to be convex, under margins known to be concave.
        chart: The domain, convex too: no unit vectors, no rotations.
        points: Where tangents are known to be worth having, packed; the first one is feasible,
            and is what the certificate is about.
        deadline: Ends it early.

    Returns:
        The proof, as good as it became; None where there is none.
    """
    cuts = _Cuts(target=target, chart=chart, best=points[0].detach().clone())
    if not cuts.usable:
        return None
    cuts.add(points)
    if not np.isfinite(cuts.energy):
        return None
    gap: float | None = None
    waiting = list(NEIGHBORS) if points.shape[1] <= MOST_NEIGHBORED else []
    for _ in range(MOST_PROGRAMS):
        if waiting and (gap is None or not cuts.is_enough(gap)):
            cuts.add(cuts.neighbors(waiting.pop(0)))
        solved = cuts.solve()
        if solved is None:
            break
        bound, following = solved
        gap = max(cuts.energy - bound, 0.0)
        if cuts.is_enough(gap) or deadline.is_over():
            break
        # The middle keeps tangents near the best point, where they are wanted in the end.
        cuts.add(torch.stack([following, (following + cuts.best) / 2]))
        gap = max(cuts.energy - bound, 0.0)
    if gap is None or not cuts.is_inside:
        return None
    return Certificate(gap=gap, enough=cuts.is_enough(gap), point=cuts.best, energy=cuts.energy)


def find_enough(dtype: torch.dtype, energy: float) -> float:
    """Return the gap that is small enough [nats]."""
    return float(torch.finfo(dtype).eps ** ENOUGH_POWER * max(abs(energy), 1.0))


@dataclass(slots=True)
class _Cuts:
    """The tangents so far, in lengths around the first point; lives inside of one call.

    Attributes:
        best: The best feasible point so far.
        energy: Its energy.
        rows: Slopes and constants `(g, c)` of `g u - t <= c` for E.
        walls: The same of `g u <= c` for margins.
    """

    target: Target
    chart: SolvingChart
    best: Tensor
    energy: float = np.inf
    origin: Tensor = field(init=False)
    lengths: Tensor = field(init=False)
    steps: Tensor = field(init=False)
    size: float = 1.0
    rows: list[tuple[Array, float]] = field(default_factory=list)
    walls: list[tuple[Array, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.origin = self.best
        with torch.no_grad():
            found = (
                self.target.energy(self.origin[None]),
                self.target.requirements(self.origin[None]),
            )
        if bool((found[1] >= 0).all()):
            self.energy = float(found[0][0])
        self.size = max(abs(self.energy), 1.0)
        spread, large = self.chart.spread, self.origin.abs().clamp(min=1)
        # A coordinate without a width of its own is measured by how large it is.
        self.lengths = torch.where(spread == 1, large, spread)
        self.steps = torch.minimum(self.lengths, large)

    @property
    def usable(self) -> bool:
        """Whether there is a proof of this kind at all."""
        kinds = {piece.kind for piece in self.chart.pieces}
        return (
            not kinds & {PieceKind.UNIT, PieceKind.ROTATION}
            and bool(np.isfinite(self.energy))
            and self.target.requirements(self.origin[None]).shape[1] <= MOST_MARGINS
        )

    @property
    def is_inside(self) -> bool:
        """Whether the best point is well inside of the box that stands in for no bounds."""
        return bool(((self.best - self.origin).abs() <= REACH / 2 * self.lengths).all())

    def is_enough(self, gap: float) -> bool:
        return gap <= find_enough(self.target.dtype, self.energy)

    def neighbors(self, distance: float) -> Tensor:
        """Return the best point's neighbors along each coordinate, inside of the domain."""
        steps = torch.diag(distance * self.steps)
        return torch.cat([self.best[None], self.best + steps, self.best - steps])

    def add(self, points: Tensor) -> None:
        """Add the tangents at points, and take the best of them."""
        x = project(self.chart.pieces, points)
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            energy, margins = self.target.energy(leaf), self.target.requirements(leaf)
            slopes = _differentiate(energy.sum(), leaf)
            columns = self._choose_columns(margins.detach())
            walls = [_differentiate(margins[:, column].sum(), leaf) for column in columns]
        energy, margins = energy.detach(), margins.detach()
        feasible = (margins >= 0).all(1) & torch.isfinite(energy)
        merit = torch.where(feasible, energy, torch.inf)
        if len(merit) and float(merit.min()) < self.energy:
            row = int(merit.argmin())
            self.best, self.energy = x[row].detach().clone(), float(merit[row])
        place = (x - self.origin) / self.lengths
        self._keep(self.rows, energy, slopes, place)
        for column, wall in zip(columns, walls, strict=True):
            self._keep(self.walls, -margins[:, column], -wall, place)

    def _choose_columns(self, margins: Tensor) -> list[int]:
        """Return the margins whose tangents are wanted: all at first, then what is near or past.

        Those left out make the bound lower at most, and never wrong.
        """
        if not self.walls:
            return list(range(margins.shape[1]))
        wanted: list[int] = torch.nonzero((margins <= NEAR).any(0))[:, 0].tolist()
        return wanted

    def _keep(
        self, kept: list[tuple[Array, float]], value: Tensor, slope: Tensor, place: Tensor
    ) -> None:
        """Keep `value + slope (u - place)` of each point as a row."""
        scaled = slope * self.lengths
        constant = (scaled * place).sum(1) - value
        good = torch.isfinite(constant) & torch.isfinite(scaled).all(1)
        if _is_affine(scaled):
            # All its tangents are one.
            good = good & (torch.arange(len(good), device=good.device) == 0)
        g, c = scaled[good].double().cpu().numpy(), constant[good].double().cpu().numpy()
        kept.extend(zip(g, c.tolist(), strict=True))

    def solve(self) -> tuple[float, Tensor] | None:
        """Return the lower bound, and a point where the tangents allow it."""
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        if not self.rows:
            return None
        base = self.energy
        slopes = np.array([g for g, _ in self.rows]) / self.size
        levels = (np.array([c for _, c in self.rows]) + base) / self.size
        program = np.c_[slopes, -np.ones(len(slopes))]
        limits = levels
        if self.walls:
            walls = np.array([g for g, _ in self.walls])
            reach = np.maximum(np.abs(walls).max(1, initial=0), 1e-300)[:, None]
            program = np.r_[program, np.c_[walls / reach, np.zeros(len(walls))]]
            limits = np.r_[limits, np.array([c for _, c in self.walls]) / reach[:, 0]]
        linear = _Linear(self.chart, self.origin, self.lengths)
        extra, ends = linear.inequalities
        equal, sums = linear.equalities
        solved = linprog(
            np.r_[np.zeros(slopes.shape[1]), 1.0],
            A_ub=csr_array(np.r_[program, np.c_[extra, np.zeros(len(extra))]]),
            b_ub=np.r_[limits, ends],
            A_eq=csr_array(np.c_[equal, np.zeros(len(equal))]) if len(equal) else None,
            b_eq=sums if len(equal) else None,
            bounds=[*zip(linear.lower, linear.upper, strict=True), (None, None)],
            method="highs",
            options={
                "primal_feasibility_tolerance": EXACT,
                "dual_feasibility_tolerance": EXACT,
            },
        )
        if solved.status != 0:
            return None
        u = torch.as_tensor(solved.x[:-1], dtype=self.origin.dtype, device=self.origin.device)
        return base + float(solved.x[-1]) * self.size, self.origin + self.lengths * u


def _is_affine(slopes: Tensor) -> bool:
    """Whether a function has the same slope everywhere, up to rounding."""
    rounding = 100 * torch.finfo(slopes.dtype).eps * slopes.abs().amax()
    return bool(((slopes - slopes[:1]).abs() <= rounding).all())


def _differentiate(value: Tensor, leaf: Tensor) -> Tensor:
    """Return the gradient, zeros where the value does not depend on the point."""
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (found,) = torch.autograd.grad(value, leaf, allow_unused=True, retain_graph=True)
    return torch.zeros_like(leaf) if found is None else found


class _Linear:
    """The domain as bounds, inequalities `A u <= b` and equalities, in lengths around a point."""

    def __init__(self, chart: SolvingChart, origin: Tensor, lengths: Tensor) -> None:
        dim = len(origin)
        middle, scale = origin.double().cpu().numpy(), lengths.double().cpu().numpy()
        lower, upper = np.full(dim, -REACH), np.full(dim, REACH)
        inequalities: list[Array] = []
        ends: list[float] = []
        equalities: list[Array] = []
        for piece in chart.pieces:
            columns = piece.columns.cpu().numpy()
            if piece.kind is PieceKind.SIMPLEX:
                lower[columns] = -middle[columns] / scale[columns]
                for element in columns:
                    row = np.zeros(dim)
                    row[element] = scale[element]
                    equalities.append(row)
            elif piece.kind is PieceKind.ORDERED:
                for element in columns:
                    for first, second in pairwise(element):
                        row = np.zeros(dim)
                        row[first], row[second] = scale[first], -scale[second]
                        inequalities.append(row)
                        ends.append(middle[second] - middle[first])
            else:
                _bound(piece, columns[:, 0], middle, scale, lower, upper)
        self.lower, self.upper = lower, upper
        self.inequalities = np.array(inequalities).reshape(-1, dim), np.array(ends)
        self.equalities = np.array(equalities).reshape(-1, dim), np.zeros(len(equalities))


def _bound(
    piece: Piece,
    columns: NDArray[np.int64],
    middle: Array,
    scale: Array,
    lower: Array,
    upper: Array,
) -> None:
    """Write the bounds of single numbers, where they have any."""
    floor, ceiling = piece.lower.double().cpu().numpy(), piece.upper.double().cpu().numpy()
    low, high = np.isfinite(floor), np.isfinite(ceiling)
    under = (floor - middle[columns]) / scale[columns]
    over = (ceiling - middle[columns]) / scale[columns]
    # A bound at rest may be off by a rounding; zero is always inside.
    lower[columns] = np.where(low, np.minimum(under, 0), -REACH)
    upper[columns] = np.where(high, np.maximum(over, 0), REACH)
