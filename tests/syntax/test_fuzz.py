"""Whatever the text: no traceback, and either a tree that formats or a message with a place."""

from hypothesis import given
from hypothesis import strategies as st

from ebmlang.lang.words import SPELLINGS
from ebmlang.syntax import format_file
from tests.syntax.reading import DESK, EVERYTHING, parse, parse_well
from tests.syntax.trees import patient

_pieces = st.one_of(
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from((*'()[]{}=:,.~^+-*/%@#"\n ;$é\x00\ud800', "..", "<=", "x", "1.5")),
)


def _is_answered(text):
    file, said = parse(text)
    for problem in said:
        assert problem.primary is not None
        assert 0 <= problem.primary.span.start <= problem.primary.span.end <= len(text)
        assert problem.headline
        assert "\n" not in problem.headline
    if not said:
        assert parse_well(format_file(file)) == file


@patient
@given(st.text(st.characters()))
def test_any_text_is_answered(text):
    _is_answered(text)


@patient
@given(st.binary())
def test_any_bytes_are_answered(data):
    _is_answered(data.decode("utf-8", errors="surrogateescape"))


@patient
@given(st.lists(_pieces, max_size=60))
def test_words_in_any_order_are_answered(pieces):
    _is_answered(" ".join(pieces))


@patient
@given(st.sampled_from((DESK, EVERYTHING)), st.data())
def test_a_program_with_changes_is_answered(program, data):
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(program)))
        end = data.draw(st.integers(place, min(place + 12, len(program))))
        program = program[:place] + data.draw(_pieces | st.just("")) + program[end:]

    _is_answered(program)
