"""What past steps say of the curvature, for each start of a batch: the model of L-BFGS.

The two loops over the pairs are two triangular systems in the products of moves and changes,
all starts at once (Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their
use in limited memory methods, 1994, theorem 2.2, in the order of the two loops of Nocedal and
Wright, algorithm 7.4).
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MEMORY = 10
"""Pairs of steps and gradient changes kept per start."""

CURVATURE = 1e-10
"""Least cosine between a step and its gradient change for the pair to count as convex."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Pairs of each start, in a ring.

    Attributes:
        moves: Steps taken.
        changes: Gradient changes along them.
        pushes: Pairs learned since the history was last dropped; the latest `memory` are kept,
            the one after `pushes` others in place `pushes % memory`.
    """

    moves: Float[Tensor, "start memory dim"]
    changes: Float[Tensor, "start memory dim"]
    pushes: Int[Tensor, " start"]

    def take(self, index: Int[Tensor, " kept"]) -> "History":
        """Return the history of some of the starts."""
        return History(
            moves=self.moves[index], changes=self.changes[index], pushes=self.pushes[index]
        )

    def push(
        self,
        accepted: Bool[Tensor, " start"],
        move: Float[Tensor, "start dim"],
        change: Float[Tensor, "start dim"],
    ) -> "History":
        """Return the history with one pair more for some of the starts."""
        places = torch.arange(self.moves.shape[1], device=move.device)
        newest = accepted[:, None] & (places == self.pushes[:, None] % len(places))
        return History(
            moves=torch.where(newest[:, :, None], move[:, None], self.moves),
            changes=torch.where(newest[:, :, None], change[:, None], self.changes),
            pushes=self.pushes + accepted,
        )

    def drop(self, starts: Bool[Tensor, " start"]) -> "History":
        """Return the history without the pairs of some of the starts."""
        return replace(self, pushes=torch.where(starts, 0, self.pushes))


def begin(position: Float[Tensor, "start dim"]) -> History:
    """Return the history of starts that have gone nowhere yet."""
    none = position.new_zeros(position.shape[0], MEMORY, position.shape[1])
    return History(moves=none, changes=none, pushes=torch.zeros_like(none[:, 0, 0]).long())


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


def apply(
    moves: Float[Tensor, "start memory dim"],
    changes: Float[Tensor, "start memory dim"],
    pushes: Int[Tensor, " start"],
    gradient: Float[Tensor, "start dim"],
) -> Model:
    """Apply the inverse Hessian model to a gradient.

    Args:
        moves: In the order of `History`, projected on what is free to move.
        changes: Likewise.
        pushes: As in `History`.
        gradient: Projected likewise.
    """
    memory = moves.shape[1]
    product, square = moves @ changes.mT, changes.square().sum(2)
    along, cosine = product.diagonal(dim1=1, dim2=2), CURVATURE * square.sqrt()
    places = torch.arange(memory, device=moves.device)
    convex = (along > cosine * moves.norm(dim=2)) & (places < pushes[:, None])

    # From the oldest pair to the newest, where each knows of those before it.
    order = (torch.where(pushes < memory, 0, pushes)[:, None] + places) % memory
    back = (places - order[:, :1]) % memory
    aged = convex.gather(1, order)
    known = aged[:, :, None] & aged[:, None, :]
    product = product.gather(1, order[:, :, None].expand_as(product))
    product = product.gather(2, order[:, None, :].expand_as(product))
    # A pair that is not convex changes nothing: it solves 1 x = 0.
    upper = torch.where(known, product.triu(), torch.eye(memory, device=moves.device).bool())
    diagonal = upper.diagonal(dim1=1, dim2=2)

    newest = (places * aged).argmax(1, keepdim=True)
    ratio = diagonal.gather(1, newest) / square.gather(1, order).gather(1, newest)
    has_pairs = aged.any(1)
    scale = torch.where(has_pairs, ratio[:, 0], 1)

    met = torch.where(aged, _each(moves, gradient).gather(1, order), 0)
    shares = torch.linalg.solve_triangular(upper, met[:, :, None], upper=True)[:, :, 0]
    rest = scale[:, None] * (gradient - _sum(shares.gather(1, back), changes))
    met = torch.where(aged, diagonal * shares - _each(changes, rest).gather(1, order), 0)
    shares = torch.linalg.solve_triangular(upper.mT, met[:, :, None], upper=False)[:, :, 0]
    return Model(
        newton=rest + _sum(shares.gather(1, back), moves), has_pairs=has_pairs, scale=scale
    )


def _each(pairs: Tensor, vector: Tensor) -> Tensor:
    return (pairs @ vector[:, :, None])[:, :, 0]


def _sum(shares: Tensor, pairs: Tensor) -> Tensor:
    return (shares[:, None] @ pairs)[:, 0]
