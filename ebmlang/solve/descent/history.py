"""What past steps say of the curvature, for each start of a batch: the model of L-BFGS.

The two loops over the pairs are two triangular systems in the products of moves and changes,
all starts at once (Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their
use in limited memory methods, 1994, theorem 2.2, in the order of the two loops of Nocedal and
Wright, algorithm 7.4).
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.linalg import solve_triangular, vector_norm

MEMORY = 10
"""Pairs of trial steps and gradient changes kept per start."""

CURVATURE = 1e-10
"""Least cosine between a step and its gradient change for the pair to count as convex."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """The latest trial steps of each start, newest last.

    Attributes:
        moves: Where they went.
        changes: Gradient changes along them.
        known: Which of them were taken, and still count.
    """

    moves: Float[Tensor, "start memory dim"]
    changes: Float[Tensor, "start memory dim"]
    known: Bool[Tensor, "start memory"]

    def push(
        self,
        accepted: Bool[Tensor, " start"],
        move: Float[Tensor, "start dim"],
        change: Float[Tensor, "start dim"],
    ) -> "History":
        """Return the history with one trial more, which some of the starts have taken."""
        return History(
            moves=torch.cat([self.moves[:, 1:], move[:, None]], dim=1),
            changes=torch.cat([self.changes[:, 1:], change[:, None]], dim=1),
            known=torch.cat([self.known[:, 1:], accepted[:, None]], dim=1),
        )

    def drop(self, starts: Bool[Tensor, " start"]) -> "History":
        """Return the history without the pairs of some of the starts."""
        return replace(self, known=self.known & ~starts[:, None])


def begin(position: Float[Tensor, "start dim"]) -> History:
    """Return the history of starts that have gone nowhere yet."""
    count, dim = position.shape
    none = position.new_zeros(count, MEMORY, dim)
    unknown = torch.zeros(count, MEMORY, dtype=torch.bool, device=position.device)
    return History(moves=none, changes=none, known=unknown)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What a history makes of a gradient.

    Attributes:
        newton: The inverse Hessian model times the gradient.
        has_pairs: Whether any pair tells of the curvature.
        scale: Inverse curvature along the newest pair; 1 without one.
    """

    newton: Float[Tensor, "start dim"]
    has_pairs: Bool[Tensor, " start"]
    scale: Float[Tensor, " start"]


def apply(history: History, gradient: Float[Tensor, "start dim"]) -> Model:
    """Apply the inverse Hessian model to a gradient, both projected on what is free to move."""
    moves, changes, memory = history.moves, history.changes, history.moves.shape[1]
    product = moves @ changes.mT
    along = product.diagonal(dim1=1, dim2=2)
    length = vector_norm(changes, dim=2)
    convex = history.known & (along > CURVATURE * length * vector_norm(moves, dim=2))
    has_pairs = convex.any(1)

    # A pair that is not convex changes nothing: it solves 1 x = 0.
    used = convex.to(moves.dtype)
    pairs = product * (used[:, :, None] * used[:, None, :]) + torch.diag_embed(1 - used)
    along = torch.where(convex, along, 0)
    newest = (torch.arange(memory, device=moves.device) * convex).argmax(1, keepdim=True)
    ratio = (along / length.square()).gather(1, newest)[:, 0]
    scale = torch.where(has_pairs, ratio, 1)

    # From the newest pair to the oldest, and back.
    shares = _solve(pairs, used * _each(moves, gradient), upper=True)
    rest = scale[:, None] * (gradient - _sum(shares, changes))
    shares = _solve(pairs.mT, along * shares - used * _each(changes, rest), upper=False)
    return Model(newton=rest + _sum(shares, moves), has_pairs=has_pairs, scale=scale)


def _solve(matrix: Tensor, right: Tensor, *, upper: bool) -> Tensor:
    """Solve with one triangle of a matrix; the other is not looked at."""
    solved: Tensor = solve_triangular(matrix, right[:, :, None], upper=upper)
    return solved[:, :, 0]


def _each(pairs: Tensor, vector: Tensor) -> Tensor:
    return (pairs @ vector[:, :, None])[:, :, 0]


def _sum(shares: Tensor, pairs: Tensor) -> Tensor:
    return (shares[:, None] @ pairs)[:, 0]
