"""The list of reserved words, and what the grammar makes of each of them."""

import re

import pytest

from ebmlang.lang.words import (
    AGGREGATES,
    CAPITALS,
    CONSTANTS,
    DOMAIN_WORDS,
    LATER_STATEMENTS,
    LATER_WORDS,
    RESERVED_WORDS,
    SPELLINGS,
    STATEMENT_WORDS,
)
from ebmlang.source import SourceText
from ebmlang.syntax.expectations import STATEMENT_KINDS
from ebmlang.syntax.grammar import find_grammar, load_grammar
from ebmlang.syntax.lexemes import END, cut_text
from tests.syntax.reading import complaints, parse_well

TOKENS = (find_grammar() / "tokens.lark").read_text(encoding="utf-8")


def _kinds(text):
    lexemes, _ = cut_text(SourceText("words", text), load_grammar().pattern)
    return [(lexeme.type, lexeme.text) for lexeme in lexemes if lexeme.type != END]


def _alternatives(terminal):
    (pattern,) = re.findall(rf"^{terminal}: /([a-z|A-Z]+)/$", TOKENS, flags=re.MULTILINE)
    return tuple(pattern.split("|"))


def test_the_lookahead_of_names_is_the_list_of_reserved_words():
    lookahead = re.search(r"NAME: /\(\?!\(\?:(.*?)\)\(\?!", TOKENS, flags=re.DOTALL)
    assert lookahead is not None

    words = re.sub(r"\s", "", lookahead[1]).split("|")

    assert len(words) == len(set(words))
    assert set(words) == SPELLINGS


@pytest.mark.parametrize("word", sorted(SPELLINGS))
def test_a_reserved_word_is_one_lexeme_of_its_own_kind(word):
    ((kind, text),) = _kinds(word)

    assert text == word
    assert kind not in ("NAME", "STRAY")


@pytest.mark.parametrize("word", sorted(RESERVED_WORDS))
def test_a_name_may_begin_or_go_on_like_a_reserved_word(word):
    names = [f"{word}s", f"{word}_1", f"a{word}", word.capitalize(), f"_{word}"]

    assert _kinds(" ".join(names)) == [("NAME", name) for name in names]


@pytest.mark.parametrize(
    ("terminal", "words"),
    [
        ("AGGREGATE", AGGREGATES),
        ("CONSTANT", CONSTANTS),
        ("LATER_STATEMENT", tuple(LATER_STATEMENTS)),
        ("LATER_WORD", LATER_WORDS),
    ],
)
def test_a_kind_of_several_words_has_those_of_the_list(terminal, words):
    assert _alternatives(terminal) == words


def test_statement_words_are_the_kinds_that_begin_statements():
    kinds = {kind for word in STATEMENT_WORDS for kind, _ in _kinds(word)}

    assert kinds == STATEMENT_KINDS


def test_domain_words_all_begin_a_domain():
    rest = {"label": "label {A}", "int": "int in 0..1"}
    text = "\n".join(f"var v_{word}: {rest.get(word, word)}" for word in DOMAIN_WORDS)

    assert len(parse_well(text).statements) == len(DOMAIN_WORDS)


def test_capitals_are_read_for_three_words_only():
    assert parse_well("let a = x AND NOT y OR z") == parse_well("let a = x and not y or z")
    assert set(CAPITALS) == {"AND", "OR", "NOT"}
    assert complaints("let a = x IMPLIES y")[0][2] == "unexpected `IMPLIES`"


@pytest.mark.parametrize("name", ["godel", "product", "python", "pairs", "normalize", "unlike"])
def test_names_with_a_meaning_elsewhere_are_ordinary_names(name):
    assert parse_well(f"let {name} = {name}(1)").statements[0].name.name == name
