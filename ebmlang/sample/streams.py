"""Random streams of a run, one per chain.

Every number is a pure function of the seed, a purpose, the iteration, the chain and a place. So
the draws of a chain do not depend on how the batch is split, on the number of threads, on the
device (but for the last bits of a logarithm), or on whether the run was stopped in between.

    noise = streams.at(iteration)
    noise.normal("momentum", dim)        # [chain, dim]
    noise.uniform("accept", 1)           # [chain, 1]
    noise.shared("steps")                # one number for all chains
    noise.fork("second move").normal("momentum", dim)
"""

import math
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeAlias, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import derive_seed
from ebmlang.sample.philox import MASK, philox

BLOCK = 1 << 16
"""Numbers made in one go, of as many consecutive iterations as fit: a call for few numbers costs
as much as one for many."""

BLOCKS_KEPT = 64
"""Purposes whose latest block is kept."""

PIECE = 1 << 15
"""Counters that are turned into words together on the CPU: what that takes stays in a cache."""

ALL_CHAINS = MASK
"""The chain number of what all chains share."""

Words: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]
"""The four words of each counter, `[iteration, chain, counter]`."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streams:
    """The random streams of some chains of a run.

    Attributes:
        seed: Of the run.
        chains: The number of each chain in the whole run, wherever it is computed; int64, on the
            device of the run.
        dtype: Of normal variates.
    """

    seed: int
    chains: Int[Tensor, " chain"]
    dtype: torch.dtype
    _blocks: "OrderedDict[tuple[int, int, bool], tuple[int, Tensor]]" = field(
        default_factory=OrderedDict, repr=False
    )

    def at(self, iteration: int) -> "Noise":
        """Return the random numbers of one iteration."""
        return Noise(streams=self, iteration=iteration, path="")

    def part(self, chains: slice) -> "Streams":
        """Return the streams of some of the chains."""
        return Streams(seed=self.seed, chains=self.chains[chains], dtype=self.dtype)

    @property
    def key(self) -> tuple[int, int]:
        """The two words of the seed."""
        number = derive_seed(self.seed, "chains")
        return number & MASK, number >> 32

    def find_block(
        self, purpose: int, width: int, iteration: int, *, normal: bool
    ) -> Float[Tensor, "chain width"]:
        """Return one iteration's numbers; those of the iterations around it are kept."""
        if iteration == 0:
            # What a run begins with is used once.
            return self._make_block(purpose, width, 0, 1, normal=normal)[0]
        length = max(1, BLOCK // max(1, len(self.chains) * width))
        first = iteration - iteration % length
        key = (purpose, width, normal)
        kept = self._blocks.get(key)
        if kept is None or kept[0] != first:
            kept = (first, self._make_block(purpose, width, first, length, normal=normal))
            self._blocks[key] = kept
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return kept[1][iteration - first]

    def _make_block(
        self, purpose: int, width: int, first: int, length: int, *, normal: bool
    ) -> Float[Tensor, "iteration chain width"]:
        chains = len(self.chains)
        dtype = self.dtype if normal else torch.float64
        block = torch.empty(length, chains, width, dtype=dtype, device=self.chains.device)
        # On a device a piece costs as much as a block.
        rows = PIECE // -(-width // 4) if block.is_cpu else block.numel()
        at_once = max(1, rows // max(1, chains))
        for begin in range(0, length, at_once):
            for start in range(0, chains, max(1, rows)):
                piece = block[begin : begin + at_once, start : start + max(1, rows)]
                words = self._make_words(purpose, piece, first + begin, start)
                fill = _fill_normal if normal else _fill_uniform
                fill(piece, words)
        return block

    def _make_words(
        self, purpose: int, piece: Float[Tensor, "iteration chain width"], first: int, start: int
    ) -> Words:
        length, chains, width = piece.shape
        quads = torch.arange(-(-width // 4), device=piece.device)
        iterations = torch.arange(first, first + length, device=piece.device)
        numbers = self.chains[start : start + chains]
        counter = (
            quads,
            iterations[:, None, None],
            torch.full_like(quads, purpose),
            (numbers & MASK)[:, None],
        )
        return philox(counter, self.key)


def _fill_uniform(piece: Float[Tensor, "iteration chain width"], words: Words) -> None:
    """Write one number for each word."""
    for place, word in enumerate(words[: piece.shape[2]]):
        column = piece[..., place::4]
        column.copy_(_scale(word[..., : column.shape[2]], 1.0))


def _fill_normal(piece: Float[Tensor, "iteration chain width"], words: Words) -> None:
    """Write two numbers for each two words, by Box and Muller (1958)."""
    for place, pair in enumerate((words[:2], words[2:])):
        if place >= piece.shape[2]:
            break
        radius = (-2.0 * _scale(pair[0], 1.0).log_()).sqrt_()
        angle = _scale(pair[1], 2 * math.pi)
        for column, wave in (
            (piece[..., place::4], angle.cos),
            (piece[..., place + 2 :: 4], angle.sin),
        ):
            used = column.shape[2]
            if used:
                column.copy_((radius * wave())[..., :used])


def _scale(word: Int[Tensor, "*place"], most: float) -> Float[Tensor, "*place"]:
    """Return words as numbers between 0 and `most`, without the ends, in float64."""
    return word.double().add_(0.5).mul_(most * 2.0**-32)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noise:
    """The random numbers of one iteration.

    The same purpose gives the same numbers again: each use needs a purpose of its own.
    """

    streams: Streams
    iteration: int
    path: str

    def normal(self, purpose: str, width: int) -> Float[Tensor, "chain width"]:
        """Return standard normal variates, in the dtype of the run."""
        return self.streams.find_block(self.word(purpose), width, self.iteration, normal=True)

    def uniform(self, purpose: str, width: int = 1) -> Float[Tensor, "chain width"]:
        """Return variates uniform in (0, 1), in float64, without the ends."""
        return self.streams.find_block(self.word(purpose), width, self.iteration, normal=False)

    def shared(self, purpose: str) -> float:
        """Return one variate uniform in (0, 1), the same for all chains."""
        counter = (0, self.iteration, self.word(purpose), ALL_CHAINS)
        return (philox(counter, self.streams.key)[0] + 0.5) * 2.0**-32

    def fork(self, name: str) -> "Noise":
        """Return other numbers, for a step inside of this one."""
        return Noise(streams=self.streams, iteration=self.iteration, path=f"{self.path}{name}/")

    def word(self, purpose: str) -> int:
        """Return the number of a purpose, as it enters the counter."""
        return zlib.crc32(f"{self.path}{purpose}".encode())
