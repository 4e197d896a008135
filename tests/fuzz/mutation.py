"""Texts that are almost programs: examples with something done to them, and plain noise."""

import random
import re
from collections.abc import Iterator

from ebmlang.lang.words import SPELLINGS

STRANGE = "\x00\t\r\n\x0b\x1b\"\\#{}[]()<>=!^~@%$;&|'`?éß中\u200b\u202e\u0301\ufeff𝛑\ud800"
"""Characters that break readers: controls, wide, joining, invisible, a lone surrogate."""

GRAFTS = (
    "0", "1", "-1", "3", "2.5", "1e300", "inf", "true", "x", "x[0]", "x[0..1]", "[x, x]", "[1, 2]",
    "zeros(2, 3)", "zeros(0)", "size(x)", "(x <= 1)", "(x == 1 within 0.1)", "not true", "(1 / 0)",
    "energy(1)", "(x ~ normal(0, 1))", "mix(1: x ~ normal(0, 1))", "softmin(energy(1), energy(2))",
    "repel(energy(x), 2)", "tempered(energy(x[0]), 2)",
    "(forall a in x: a <= 1)", "(exists i in 0..2: i == 1)", "(sum a, b in pairs(x): a * b)",
    "(mean i in 1..0: i)", "[i for i in 0..3]", "[[a, b] for a, b in zip(x, x)]",
    "(scan s = 0 over a in x: s + a)", "(scan s = x over i in 1..2: x)", "(if true then 1 else 2)",
    "concat(x, x)", "stack(x, x)", "reshape(x, 3, 1)", "transpose(x)", "inv(x)", "det(eye(2))",
    "cumsum(x)", "sort(x)", "linspace(0, 1, 3)", "norm(x)", "dot(x, x)", "x @ x", "sum(x, 0)",
    "x ^ x", "(0 ^ -1)", "(x % 0)", "log(-1)", "geometry", "std", "normal", "pi", "a", "N", "f(x)",
)  # fmt: skip
"""Expressions of every sort and shape, to stand where another one stood."""

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


def graft(text: str, rng: random.Random, names: list[str], places: int) -> str:
    """Return the text with names and numbers in it exchanged for other expressions or names.

    Most of what comes out can be parsed, so that the later rooms get their share.
    """
    pieces = tokens_of(text)
    fitting = [
        i
        for i, piece in enumerate(pieces)
        if piece not in SPELLINGS and (piece[0].isalnum() or piece[0] == "_")
    ]
    for i in rng.sample(fitting, min(places, len(fitting))):
        pieces[i] = rng.choice(GRAFTS) if rng.random() < 0.7 else rng.choice(names)
    return "".join(pieces)


def names_of(text: str) -> list[str]:
    """Return the names and numbers in a text, in order and with repeats."""
    words = [piece for piece in tokens_of(text) if piece[0].isalnum() and piece not in SPELLINGS]
    return words or ["x"]


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
