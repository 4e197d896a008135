"""Philox4x32-10: random words as a pure function of a counter and a key.

`philox` is written in whole-number operations that Python and torch share, so that one text serves
single numbers and tensors, and every device gives the same bits. `fill_words` is the same in NumPy,
which has the unsigned numbers and writes in place: on the CPU two to three times as fast.

Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011),
section 3.3 and figure 4.
"""

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

ROUNDS = 10
"""As the authors advise; seven pass their tests."""

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
"""M0 and M1 of the source."""

WEYL = (0x9E3779B9, 0xBB67AE85)
"""What the key grows by from round to round: the golden ratio, and sqrt(3) - 1."""

MASK = 0xFFFFFFFF
"""The lowest 32 bits."""

Words: TypeAlias = tuple[
    NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]
]

# Any: numpy says of a product with a Python number that it may be signed.
Word = TypeVar("Word", int, Tensor, NDArray[Any])


def philox(
    counter: tuple[Word, Word, Word, Word], key: tuple[int, int]
) -> tuple[Word, Word, Word, Word]:
    """Return four random words of 32 bits.

    Args:
        counter: Four words; int64 where they are tensors, which may broadcast.
        key: Two words.

    >>> [f"{word:08x}" for word in philox((0, 0, 0, 0), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = _take_rounds(counter, key, ROUNDS)
    return c0, c1 & MASK, c2, c3 & MASK


def _take_rounds(
    counter: tuple[Word, Word, Word, Word], key: tuple[int, int], rounds: int
) -> tuple[Word, Word, Word, Word]:
    """Return the words after the first rounds; above the lowest 32 bits of two of them is more."""
    c0, c1, c2, c3 = counter
    for k0, k1 in list_keys(key)[:rounds]:
        # In int64 the product may wrap to a negative number; its bits are the same. What stands
        # above the lowest 32 bits is left there until the next product, or the end.
        first, second = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c2 = (second >> 32) ^ c1, (first >> 32) ^ c3
        c0 ^= k0
        c2 ^= k1
        c0 &= MASK
        c2 &= MASK
        c1, c3 = second, first
    return c0, c1, c2, c3


def list_keys(key: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the two words of the key of each round."""
    k0, k1 = key
    return [((k0 + i * WEYL[0]) & MASK, (k1 + i * WEYL[1]) & MASK) for i in range(ROUNDS)]


EARLY = 3
"""Rounds until every word depends on all of the counter: what they take is less where words of the
counter broadcast."""


def fill_words(counter: Words, key: tuple[int, int]) -> Words:
    """Return four random words of 32 bits for each of many counters.

    Args:
        counter: Four words, which broadcast.
        key: Two words.

    >>> zero = np.zeros(1, np.uint64)
    >>> f"{fill_words((zero, zero, zero, zero), (0, 0))[0][0]:08x}"
    '6627e8d5'
    """
    early = _take_rounds(counter, key, EARLY)
    shape = np.broadcast_shapes(*(word.shape for word in early))
    factors, rest, products = (np.empty((2, *shape), np.uint64) for _ in range(3))
    factors[0], rest[0], factors[1], rest[1] = early
    first, second = (np.uint64(multiplier) for multiplier in MULTIPLIERS)
    half, mask = np.uint64(32), np.uint64(MASK)
    keys = np.array(list_keys(key), np.uint64).reshape(ROUNDS, 2, *(1,) * len(shape))
    for added in keys[EARLY:]:
        # Of either product, the upper half goes into the word that the other one's factor was.
        np.multiply(factors[0], first, out=products[1])
        np.multiply(factors[1], second, out=products[0])
        np.right_shift(products, half, out=factors)
        factors ^= rest
        factors ^= added
        factors &= mask
        products, rest = rest, products
    rest &= mask
    return factors[0], rest[0], factors[1], rest[1]
