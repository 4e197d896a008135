"""Philox4x32-10: random words as a pure function of a counter and a key.

It is written in whole-number operations that Python and torch share, so that one text serves
single numbers and tensors, and every device gives the same bits.

Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011),
section 3.3 and figure 4.
"""

from typing import TypeVar

from torch import Tensor

ROUNDS = 10
"""As the authors advise; seven pass their tests."""

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
"""M0 and M1 of the source."""

WEYL = (0x9E3779B9, 0xBB67AE85)
"""What the key grows by from round to round: the golden ratio, and sqrt(3) - 1."""

MASK = 0xFFFFFFFF
"""The lowest 32 bits."""

Word = TypeVar("Word", int, Tensor)


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
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        # In int64 the product may wrap to a negative number; its bits are the same. What stands
        # above the lowest 32 bits is left there until the next product, or the end.
        first, second = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c2 = (second >> 32) ^ c1, (first >> 32) ^ c3
        c0 ^= k0
        c2 ^= k1
        c0 &= MASK
        c2 &= MASK
        c1, c3 = second, first
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return c0, c1 & MASK, c2, c3 & MASK
