"""Messages look as people know them from rustc; each picture here is the whole message."""

import re
from textwrap import dedent

import pytest

from ebmlang.source import Diagnostic, Label, SourceText
from ebmlang.source.draw import describe_diagnostic, draw_diagnostic, draw_diagnostics

ARM = SourceText(
    "arm.ebm",
    "space joint: real[7] in [-pi, pi]\n\nterm reach(q: joint) = norm(q - goal)\n",
)


def spot(source: SourceText, text: str, label: str = "", start: int = 0) -> Label:
    begin = source.text.index(text, start)
    return Label(source.span(begin, begin + len(text)), label)


def picture(text: str) -> str:
    return dedent(text).strip("\n")


def draw(source: SourceText, primary: Label, *secondary: Label, **more) -> str:
    diagnostic = Diagnostic(
        code="E0302", headline="sizes differ", primary=primary, secondary=secondary, **more
    )
    return draw_diagnostic(diagnostic)


def test_a_message_stands_with_both_its_places_and_the_lines_between_left_out():
    drawn = draw_diagnostic(
        Diagnostic(
            code="E0302",
            headline="cannot subtract a vector of size 6 from a vector of size 7",
            primary=spot(ARM, "q - goal", "sizes 7 and 6 differ"),
            secondary=(spot(ARM, "real[7]", "`q` gets its size here"),),
            helps=("take a slice: `q[0..5] - goal`",),
        )
    )

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: cannot subtract a vector of size 6 from a vector of size 7
         --> arm.ebm:3:29
          |
        1 | space joint: real[7] in [-pi, pi]
          |              ------- `q` gets its size here
        ...
        3 | term reach(q: joint) = norm(q - goal)
          |                             ^^^^^^^^ sizes 7 and 6 differ
          |
          = help: take a slice: `q[0..5] - goal`
        """
    )


def test_a_warning_says_so():
    drawn = draw_diagnostic(
        Diagnostic(code="W0211", headline="`q` is not used", primary=spot(ARM, "q:"))
    )

    assert drawn.startswith("warning[W0211 unused-variable]: `q` is not used\n --> arm.ebm:3:12")


def test_a_message_about_no_place_is_its_headline_and_its_help():
    drawn = draw_diagnostic(
        Diagnostic(
            code="E0801", headline="there is no file `dek.ebm`", helps=("did you mean `desk.ebm`?",)
        )
    )

    assert drawn == picture(
        """
        error[E0801 file-not-found]: there is no file `dek.ebm`
          = help: did you mean `desk.ebm`?
        """
    )


def test_labels_on_one_line_hang_below_it():
    source = SourceText("a.ebm", "let d = norm(q - goal)")

    drawn = draw(
        source, spot(source, "q", "7 long"), spot(source, "goal", "6 long"), spot(source, "d", "d")
    )

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: sizes differ
         --> a.ebm:1:14
          |
        1 | let d = norm(q - goal)
          |     -        ^   ---- 6 long
          |     |        |
          |     |        7 long
          |     d
        """
    )


def test_a_label_inside_another_keeps_its_own_mark():
    source = SourceText("a.ebm", "let d = norm(q - goal)")

    drawn = draw(source, spot(source, "q - goal", "inner"), spot(source, "norm(q - goal)", "outer"))

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: sizes differ
         --> a.ebm:1:14
          |
        1 | let d = norm(q - goal)
          |         -----^^^^^^^^-
          |         |    |
          |         |    inner
          |         outer
        """
    )


def test_a_label_without_text_is_only_underlined():
    source = SourceText("a.ebm", "a + b")

    drawn = draw(source, spot(source, "b", "here"), spot(source, "a"))

    assert drawn.endswith("1 | a + b\n  | -   ^ here")


def test_a_span_of_several_lines_gets_a_bar_at_the_left():
    source = SourceText("a.ebm", "spec leg(\n  hip\n) {\n}\n")

    drawn = draw(source, Label(source.span(0, source.text.index(" {")), "too long"))

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: sizes differ
         --> a.ebm:1:1
          |
        1 | / spec leg(
        2 | |   hip
        3 | | ) {
          | |_^ too long
        """
    )


def test_a_long_span_that_begins_inside_a_line_shows_where_and_leaves_its_middle_out():
    source = SourceText("a.ebm", "let x = sum(\n" + "  1,\n" * 10 + ")\n")

    drawn = draw(source, Label(source.span(8, len(source.text) - 1), "this"))

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: sizes differ
          --> a.ebm:1:9
           |
         1 |   let x = sum(
           |  _________^
         2 | |   1,
        ...
        11 | |   1,
        12 | | )
           | |_^ this
        """
    )


def test_spans_of_several_lines_that_overlap_have_a_bar_each():
    source = SourceText("a.ebm", "spec a {\n  spec b {\n  }\n}\n")
    inner = source.text.index("spec b")

    drawn = draw(
        source,
        Label(source.span(inner, source.text.index("}") + 1), "inner"),
        Label(source.span(0, len(source.text) - 1), "outer"),
    )

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: sizes differ
         --> a.ebm:2:3
          |
        1 | /  spec a {
        2 | |/   spec b {
        3 | ||   }
          | ||___^ inner
        4 | |  }
          | |__- outer
        """
    )


def test_a_label_in_another_file_is_shown_under_its_name():
    parts = SourceText("parts.ebm", "\nfn f(a: real[3]) = a\n")

    drawn = draw(ARM, spot(ARM, "goal", "6 long"), spot(parts, "real[3]", "wanted here"))

    assert drawn == picture(
        """
        error[E0302 shape-mismatch]: sizes differ
         --> arm.ebm:3:33
          |
        3 | term reach(q: joint) = norm(q - goal)
          |                                 ^^^^ 6 long
         ::: parts.ebm:2:9
          |
        2 | fn f(a: real[3]) = a
          |         ------- wanted here
        """
    )


def test_tabs_and_wide_characters_keep_marks_under_their_text():
    source = SourceText("a.ebm", "\tlet 高さ = x\tz\n")

    drawn = draw(source, spot(source, "z", "here"), spot(source, "高さ"))

    assert drawn.endswith("1 |     let 高さ = x    z\n" + "  |         ----        ^ here")


def test_what_would_steer_a_terminal_is_drawn_as_a_mark():
    source = SourceText("a.ebm", "let \x1b[31mx\u202e = 1\n")

    drawn = draw(source, spot(source, "1", "here"))

    assert "\x1b" not in drawn
    assert "\u202e" not in drawn
    assert "let �[31mx� = 1" in drawn


def test_the_end_of_a_file_can_be_pointed_at():
    source = SourceText("a.ebm", "let x =")

    drawn = draw(source, Label(source.span(7, 7), "an expression belongs here"))

    assert drawn.endswith("1 | let x =\n  |        ^ an expression belongs here")


def test_a_very_long_line_is_cut_around_its_label():
    source = SourceText("a.ebm", "let x = " + "1 + " * 5000 + "y" + " + 1" * 5000)

    drawn = draw(source, spot(source, "y", "here"))

    line, marks = drawn.splitlines()[-2:]
    assert len(line) < 200
    assert line[marks.index("^")] == "y"


def test_notes_and_helps_of_several_lines_stay_aligned():
    drawn = draw(ARM, spot(ARM, "goal"), notes=("one\ntwo",), helps=("three",))

    assert drawn.endswith("  |\n  = note: one\n          two\n  = help: three")


def test_the_steps_of_a_proof_are_numbered_below_each_other():
    drawn = draw(ARM, spot(ARM, "goal"), because=("one", "two"), notes=("three",))

    assert drawn.endswith("  |\n  = because 1. one\n            2. two\n  = note: three")


def test_color_changes_nothing_but_the_color():
    diagnostic = Diagnostic(
        code="E0302",
        headline="sizes differ",
        primary=spot(ARM, "q - goal", "here"),
        secondary=(spot(ARM, "real[7]", "there"), spot(ARM, "goal", "and here")),
        helps=("mend it",),
    )

    colored = draw_diagnostic(diagnostic, color=True)

    assert "\x1b[1;31m" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == draw_diagnostic(diagnostic)


def test_several_messages_are_apart_by_a_blank_line():
    one = Diagnostic(code="E0801", headline="one")

    assert draw_diagnostics([one, one]).count("\n\n") == 1


def test_as_data_a_message_has_lines_and_columns_from_one():
    diagnostic = Diagnostic(
        code="E0302", headline="sizes differ", primary=spot(ARM, "q - goal", "here"), notes=("n",)
    )

    described = describe_diagnostic(diagnostic)

    assert described == {
        "code": "E0302",
        "slug": "shape-mismatch",
        "severity": "error",
        "headline": "sizes differ",
        "spans": [
            {
                "file": "arm.ebm",
                "line": 3,
                "column": 29,
                "end_line": 3,
                "end_column": 37,
                "start": 63,
                "end": 71,
                "label": "here",
                "primary": True,
            }
        ],
        "because": [],
        "notes": ["n"],
        "helps": [],
    }


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n", "\t", "é"])
def test_every_span_of_a_text_can_be_drawn(text):
    source = SourceText("a.ebm", text)

    for start in range(len(text) + 1):
        for end in range(start, len(text) + 1):
            assert "here" in draw(source, Label(source.span(start, end), "here"))
