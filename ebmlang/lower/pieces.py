"""The pieces of terms as torch computes them, with the same kernels as E itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.analysis.composition import Composition, TermPiece
from ebmlang.check.program import Role
from ebmlang.graph import Root, RootKind
from ebmlang.lower.decomposition import Reading, Values, read_piece, share_evenly
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.trace import trace_nodes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PieceTensors:
    """Roots of a composition at a batch of points, `[chain, ...]` by path."""

    energies: Mapping[str, Tensor]
    margins: Mapping[str, Tensor]

    def values(self) -> Values:
        """Return them as NumPy arrays."""
        return Values(
            energies={path: _array(value) for path, value in self.energies.items()},
            margins={path: _array(value) for path, value in self.margins.items()},
        )


def trace_pieces(
    module: CompiledEnergy, roots: Iterable[str]
) -> Callable[[Float[Tensor, "chain dim"]], PieceTensors]:
    """Return a function from packed points to these roots, differentiable.

    Args:
        module: Compiled from the graph of a composition, and bound.
        roots: Paths of roots PIECE; where one is a constraint, its margin comes along.
    """
    paths = tuple(dict.fromkeys(roots))
    numbers = module.graph.roots
    with_margin = [path for path in paths if Root(RootKind.PIECE_MARGIN, path) in numbers]
    wanted = [Root(RootKind.PIECE, path) for path in paths]
    wanted += [Root(RootKind.PIECE_MARGIN, path) for path in with_margin]
    trace = trace_nodes(module, [numbers[root] for root in wanted])

    def read(x: Float[Tensor, "chain dim"]) -> PieceTensors:
        # What no unknown decides comes without chains, or with one.
        values = [_per_chain(value, len(x)) for value in trace(x)] if wanted else []
        return PieceTensors(
            energies=dict(zip(paths, values, strict=False)),
            margins=dict(zip(with_margin, values[len(paths) :], strict=True)),
        )

    return read


def _per_chain(value: Tensor, chains: int) -> Tensor:
    return value.expand(chains, *value.shape[1:])


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy().astype(np.float64)


def read_terms(
    module: CompiledEnergy, composition: Composition, values: Values
) -> dict[str, Reading]:
    """Return every term taken apart, by path; those required are in no energy.

    The responsibility of a term is its share of the sum of the terms' magnitudes.
    """
    factors = {term.path: term_factor(module, term) for term in composition.terms}
    soft = [term for term in composition.terms if term.term.role is not Role.REQUIRE]
    magnitudes = [
        np.abs(factors[t.path] * t.piece.factor * values.energies[t.piece.root]) for t in soft
    ]
    together = share_evenly(np.stack(magnitudes, axis=-1)) if soft else np.zeros((1, 0))
    shares = {term.path: together[..., i] for i, term in enumerate(soft)}
    return {
        term.path: read_piece(
            term.piece,
            values,
            factor=factors[term.path],
            responsibility=shares.get(term.path, np.zeros_like(values.energies[term.piece.root])),
            coefficient=1.0 if term.path in shares else 0.0,
        )
        for term in composition.terms
    }


def term_factor(module: CompiledEnergy, term: TermPiece) -> float:
    """Return what the energy of a term is multiplied by: its weight, those around it, its sign."""
    if term.term.role is Role.REQUIRE:
        return 1.0
    weights = module.binding.weights
    names = term.path.split(".")
    around = [".".join(names[: i + 1]) for i in range(len(names) - 1)]
    factor = float(np.prod([weights.get(path, 1.0) for path in (*around, term.path)]))
    return -factor if term.term.role is Role.MAXIMIZE else factor


def gradient_norm(
    value: Float[Tensor, " chain"], x: Float[Tensor, "chain dim"]
) -> Float[Tensor, " chain"]:
    """Return the length of the gradient of one number per chain, by all unknowns."""
    if not value.requires_grad:
        return x.new_zeros(len(x))
    (slopes,) = torch.autograd.grad(value.sum(), x, retain_graph=True, allow_unused=True)
    return x.new_zeros(len(x)) if slopes is None else (slopes * slopes).sum(1).sqrt()
