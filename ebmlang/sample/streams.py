"""Random streams of a run, one per chain.

Every number is a pure function of the seed, a purpose, the iteration, the chain and a place. So
the draws of a chain do not depend on how the batch is split, on the number of threads, on the
device (but for the last bits of a logarithm), or on whether the run was stopped in between.

    noise = streams.at(iteration)
    noise.normal("momentum", dim)        # [chain, dim]
    noise.uniform("accept", 1)           # [chain, 1]
    noise.near_one("jitter", 0.1)        # [chain, 1], in the dtype of the run
    noise.shared("steps")                # one number for all chains
    noise.fork("second move").normal("momentum", dim)
"""

import math
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias, final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.runtime import derive_seed
from ebmlang.sample.philox import MASK, fill_words, philox

BLOCK = 1 << 15
"""Numbers made in one go, of as many consecutive iterations as fit: a call for few numbers costs
as much as one for many."""

LONGEST_BLOCK = 1 << 10
"""Iterations of a block at most: few chains would make numbers for many more than a run has."""

BLOCKS_KEPT = 64
"""Purposes whose latest block is kept."""

PIECE = 1 << 14
"""Counters that are turned into words together on the CPU: what that takes stays in a cache."""

SHARED = 256
"""Consecutive iterations whose shared numbers are made in one go."""

ALL_CHAINS = MASK
"""The chain number of what all chains share."""

Law: TypeAlias = tuple[float, float]
"""Between what a variate is uniform; `NORMAL` for one that is standard normal."""

NORMAL: Law = (-math.inf, math.inf)
UNIFORM: Law = (0.0, 1.0)

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
        dtype: Of normal variates, and of those near 1.
    """

    seed: int
    chains: Int[Tensor, " chain"]
    dtype: torch.dtype
    _blocks: "OrderedDict[tuple[int, int, Law], tuple[int, tuple[Tensor, ...]]]" = field(
        default_factory=OrderedDict, repr=False
    )
    _shared: "OrderedDict[int, tuple[int, list[float]]]" = field(
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
        self, purpose: int, width: int, iteration: int, law: Law
    ) -> Float[Tensor, "chain width"]:
        """Return one iteration's numbers; those of the iterations around it are kept."""
        if iteration == 0:
            # What a run begins with is used once.
            return self._make_block(purpose, width, 0, 1, law)[0]
        length = min(LONGEST_BLOCK, max(1, BLOCK // max(1, len(self.chains) * width)))
        first = iteration - iteration % length
        key = (purpose, width, law)
        kept = self._blocks.get(key)
        if kept is None or kept[0] != first:
            block = self._make_block(purpose, width, first, length, law)
            kept = (first, block.unbind(0))
            self._blocks[key] = kept
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return kept[1][iteration - first]

    def find_shared(self, purpose: int, iteration: int) -> float:
        """Return one iteration's number of what all chains share."""
        first = iteration - iteration % SHARED
        kept = self._shared.get(purpose)
        if kept is None or kept[0] != first:
            iterations = np.arange(first, first + SHARED, dtype=np.uint64)
            counter = (_number(0), iterations, _number(purpose), _number(ALL_CHAINS))
            words = fill_words(counter, self.key)[0]
            kept = (first, ((words + 0.5) * 2.0**-32).tolist())
            self._shared[purpose] = kept
            if len(self._shared) > BLOCKS_KEPT:
                self._shared.popitem(last=False)
        self._shared.move_to_end(purpose)
        return kept[1][iteration - first]

    def _make_block(
        self, purpose: int, width: int, first: int, length: int, law: Law
    ) -> Float[Tensor, "iteration chain width"]:
        with torch.inference_mode(False):
            return self._fill_block(purpose, width, first, length, law)

    def _fill_block(
        self, purpose: int, width: int, first: int, length: int, law: Law
    ) -> Float[Tensor, "iteration chain width"]:
        chains = len(self.chains)
        dtype = torch.float64 if law == UNIFORM else self.dtype
        block = torch.empty(length, chains, width, dtype=dtype, device=self.chains.device)
        # On a device a piece costs as much as a block.
        rows = PIECE // -(-width // 4) if block.is_cpu else block.numel()
        at_once = max(1, rows // max(1, chains))
        for begin in range(0, length, at_once):
            for start in range(0, chains, max(1, rows)):
                piece = block[begin : begin + at_once, start : start + max(1, rows)]
                words = self._make_words(purpose, piece, first + begin, start)
                if law == NORMAL:
                    _fill_normal(piece, words)
                else:
                    _fill_uniform(piece, words, law)
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
        if not piece.is_cpu:
            return philox(counter, self.key)
        # Below 2^32 both kinds of whole numbers are the same.
        c0, c1, c2, c3 = (word.numpy().view(np.uint64) for word in counter)
        words = fill_words((c0, c1, c2, c3), self.key)
        w0, w1, w2, w3 = (torch.from_numpy(word.view(np.int64)) for word in words)
        return w0, w1, w2, w3


def _fill_uniform(piece: Float[Tensor, "iteration chain width"], words: Words, law: Law) -> None:
    """Write one number for each word."""
    low, high = law
    for place, word in enumerate(words[: piece.shape[2]]):
        column = piece[..., place::4]
        column.copy_(_scale(word[..., : column.shape[2]], high - low).add_(low))


def _fill_normal(piece: Float[Tensor, "iteration chain width"], words: Words) -> None:
    """Write two numbers for each two words, by Box and Muller (1958)."""
    for place, pair in enumerate((words[:2], words[2:])):
        if 2 * place >= piece.shape[2]:
            break
        radius = _scale(pair[0], 1.0).log_().mul_(-2.0).sqrt_()
        angle = _scale(pair[1], 2 * math.pi)
        for column, wave in (
            (piece[..., 2 * place :: 4], angle.cos),
            (piece[..., 2 * place + 1 :: 4], angle.sin),
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
        return self.streams.find_block(self.word(purpose), width, self.iteration, NORMAL)

    def uniform(self, purpose: str, width: int = 1) -> Float[Tensor, "chain width"]:
        """Return variates uniform in (0, 1), in float64, without the ends."""
        return self.streams.find_block(self.word(purpose), width, self.iteration, UNIFORM)

    def near_one(self, purpose: str, spread: float) -> Float[Tensor, "chain 1"]:
        """Return variates uniform within `spread` of 1, in the dtype of the run."""
        law = (1 - spread, 1 + spread)
        return self.streams.find_block(self.word(purpose), 1, self.iteration, law)

    def shared(self, purpose: str) -> float:
        """Return one variate uniform in (0, 1), the same for all chains."""
        return self.streams.find_shared(self.word(purpose), self.iteration)

    def fork(self, name: str) -> "Noise":
        """Return other numbers, for a step inside of this one."""
        return Noise(streams=self.streams, iteration=self.iteration, path=f"{self.path}{name}/")

    def word(self, purpose: str) -> int:
        """Return the number of a purpose, as it enters the counter."""
        return _hash(self.path + purpose)


@lru_cache(maxsize=1024)
def _hash(name: str) -> int:
    return zlib.crc32(name.encode())


def _number(word: int) -> NDArray[np.uint64]:
    return np.full(1, word, np.uint64)
