"""No text, however broken, brings more out of the front end than diagnostics."""

import random
from pathlib import Path

import pytest

from tests.fuzz.mutation import (
    babble,
    graft,
    mutate,
    names_of,
    noise,
    splice,
    truncations,
    vocabulary_of,
    word_salad,
)
from tests.fuzz.survival import survive

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("examples/*.ebm"), *ROOT.glob("ebmlang/std/*.ebm")])
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in FILES}
VOCABULARY = vocabulary_of(list(TEXTS.values()))

named = pytest.mark.parametrize("name", TEXTS)


@named
def test_an_example_itself_survives(name):
    survive(TEXTS[name])


@named
def test_an_example_cut_off_anywhere_survives(name):
    for text in truncations(TEXTS[name], 35):
        survive(text, build=False)


@named
def test_an_example_with_few_things_changed_survives(name):
    rng = random.Random(f"few {name}")
    for _ in range(30):
        survive(mutate(TEXTS[name], rng, VOCABULARY, strokes=rng.randint(1, 3)))


@named
def test_an_example_with_many_things_changed_survives(name):
    rng = random.Random(f"many {name}")
    for _ in range(6):
        survive(mutate(TEXTS[name], rng, VOCABULARY, strokes=rng.randint(10, 60)))


@named
def test_an_example_with_values_exchanged_survives(name):
    rng = random.Random(f"values {name}")
    names = names_of(TEXTS[name])
    for _ in range(40):
        survive(graft(TEXTS[name], rng, names, places=rng.randint(1, 3)))


def test_two_examples_spliced_survive():
    rng = random.Random("splice")
    texts = list(TEXTS.values())
    for _ in range(40):
        survive(splice(rng.choice(texts), rng.choice(texts), rng))


@pytest.mark.parametrize("length", [1, 10, 100, 3000])
def test_random_bytes_survive(length):
    rng = random.Random(f"noise {length}")
    for _ in range(10):
        survive(noise(rng, length))


@pytest.mark.parametrize("length", [1, 10, 100, 1000])
def test_random_characters_survive(length):
    rng = random.Random(f"babble {length}")
    for _ in range(10):
        survive(babble(rng, length))


@pytest.mark.parametrize("length", [3, 10, 30, 300])
def test_random_words_survive(length):
    rng = random.Random(f"salad {length}")
    for _ in range(15):
        survive(word_salad(rng, VOCABULARY, length))


@pytest.mark.slow
@named
def test_an_example_cut_off_at_every_seventh_character_survives(name):
    for text in truncations(TEXTS[name], 7):
        survive(text)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_thousands_of_mutated_examples_survive(seed):
    rng = random.Random(seed)
    texts = list(TEXTS.values())
    for _ in range(300):
        text = rng.choice(texts)
        if rng.random() < 0.3:
            text = splice(text, rng.choice(texts), rng)
        survive(mutate(text, rng, VOCABULARY, strokes=rng.randint(1, 8)))
        survive(graft(text, rng, names_of(text), places=rng.randint(1, 8)))
