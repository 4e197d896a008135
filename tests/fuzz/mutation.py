"""Texts that are almost programs: examples with something done to them, and plain noise."""

import random
import re
from collections.abc import Iterator

from ebmlang.lang.words import SPELLINGS

STRANGE = "\x00\t\r\n\x0b\x1b\"\\#{}[]()<>=!^~@%$;&|'`?éß中\u200b\u202e\u0301\ufeff𝛑\ud800"
"""Characters that break readers: controls, wide, joining, invisible, a lone surrogate."""

_TOKEN = re.compile(r"\s+|\w+|<=|>=|==|!=|\.\.|.", re.DOTALL)


def tokens_of(text: str) -> list[str]:
    """Cut a text into words, signs and blanks; joined again, they are the text."""
    return _TOKEN.findall(text)


def mutate(text: str, rng: random.Random, vocabulary: list[str], strokes: int) -> str:
    """Return the text after some random strokes, each on a token or on a character."""
    for _ in range(strokes):
        if rng.random() < 0.7:
            pieces = tokens_of(text)
            filler = rng.choice(vocabulary)
        else:
            pieces = list(text)
            filler = rng.choice(STRANGE)
        if not pieces:
            return filler
        text = "".join(_stroke(pieces, filler, rng))
    return text


def _stroke(pieces: list[str], filler: str, rng: random.Random) -> list[str]:
    i, j = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    match rng.choice(("delete", "duplicate", "swap", "insert", "replace")):
        case "delete":
            del pieces[i]
        case "duplicate":
            pieces.insert(i, pieces[i])
        case "swap":
            pieces[i], pieces[j] = pieces[j], pieces[i]
        case "insert":
            pieces.insert(i, filler)
        case _:
            pieces[i] = filler
    return pieces


def splice(one: str, other: str, rng: random.Random) -> str:
    """Return the beginning of one text with the end of another."""
    return one[: rng.randrange(len(one) + 1)] + other[rng.randrange(len(other) + 1) :]


def vocabulary_of(texts: list[str]) -> list[str]:
    """Return the words of the language and all tokens of some texts, in a fixed order."""
    found = {token for text in texts for token in tokens_of(text)}
    return sorted(found | SPELLINGS)


def noise(rng: random.Random, length: int) -> str:
    """Return random bytes, read as the characters of the same numbers."""
    return rng.randbytes(length).decode("latin-1")


def babble(rng: random.Random, length: int) -> str:
    """Return random characters from all of Unicode, surrogates included."""
    return "".join(chr(rng.randrange(0x110000)) for _ in range(length))


def word_salad(rng: random.Random, vocabulary: list[str], length: int) -> str:
    """Return random tokens with blanks between them."""
    return " ".join(rng.choice(vocabulary) for _ in range(length))


def truncations(text: str, step: int) -> Iterator[str]:
    """Yield the text cut off at every so many characters."""
    for end in range(0, len(text), step):
        yield text[:end]
