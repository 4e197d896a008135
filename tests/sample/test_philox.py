"""The random words are those that the authors of the generator publish."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.sample.philox import MASK, fill_words, philox

# Known answers of the authors' Random123 library, file kat_vectors, lines `philox4x32 10`.
KNOWN = {
    "zeros": ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    "ones": (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    "digits of pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_words_are_the_published_ones(name):
    counter, key, words = KNOWN[name]

    assert philox(counter, key) == words


@pytest.mark.parametrize("name", KNOWN)
def test_tensors_give_the_words_of_whole_numbers(name):
    counter, key, words = KNOWN[name]
    tensors = tuple(torch.tensor([word, word]) for word in counter)

    assert [word.tolist() for word in philox(tensors, key)] == [[word] * 2 for word in words]


@pytest.mark.parametrize("name", KNOWN)
def test_words_filled_in_place_are_those_of_whole_numbers(name):
    counter, key, words = KNOWN[name]
    arrays = tuple(np.array([word, word], np.uint64) for word in counter)

    assert [word.tolist() for word in fill_words(arrays, key)] == [[word] * 2 for word in words]


@given(
    starts=st.tuples(*[st.integers(0, MASK - 3)] * 4),
    key=st.tuples(*[st.integers(0, MASK)] * 2),
    shapes=st.permutations([(3, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 1)]),
)
def test_words_filled_in_place_broadcast(starts, key, shapes):
    counter = tuple(
        start + np.arange(math.prod(shape), dtype=np.uint64).reshape(shape)
        for start, shape in zip(starts, shapes, strict=True)
    )
    before = [word.copy() for word in counter]

    words = fill_words(counter, key)

    wide = np.broadcast_arrays(*counter)
    for place in np.ndindex(3, 2, 2):
        single = philox(tuple(int(word[place]) for word in wide), key)
        assert tuple(int(word[place]) for word in words) == single
    assert all((one == other).all() for one, other in zip(before, counter, strict=True))
