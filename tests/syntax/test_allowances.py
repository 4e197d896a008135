"""Warnings are switched off where a comment says so, and nowhere else."""

import pytest

from ebmlang.api.load import loads
from ebmlang.source import EbmError
from ebmlang.syntax import format_file

X = "var x: real in [0, 1]"
"""A variable that nothing uses; its warning is the one that is switched off or not."""


def idle(text: str) -> list[str]:
    """Return the variables that a text is warned of."""
    return [d.headline.split("`")[1] for d in loads(text).diagnostics if d.code == "W0211"]


def unknown(text: str) -> list[str]:
    """Return the names of warnings that there are not."""
    with pytest.raises(EbmError) as caught:
        loads(text)
    return [d.primary.span.text for d in caught.value.diagnostics if d.code == "E0415"]


SWITCHED_OFF = {
    "behind the statement": f"{X}  # allow: unused-variable",
    "above it": f"const k = 1\n# allow: unused-variable\n{X}",
    "above it, under another comment": f"const k = 1\n# allow: unused-variable\n# why\n{X}",
    "by its code": f"{X}  # allow: W0211",
    "as one of several": f"{X}  # allow: constant-term, unused-variable",
    "inside it": "var x: real in [  # allow: unused-variable\n  0, 1]",
    "on its last line": "var x: real in [0,\n  1]  # allow: unused-variable",
    "for the whole file": f"# allow: unused-variable\n\nconst k = 1\n{X}",
    "for the whole file, after its title": f"## title\n# allow: unused-variable\n\n{X}",
    "without a space": f"{X}  #allow:unused-variable",
}

LEFT_ON = {
    "another warning": f"{X}  # allow: unused-name",
    "behind the statement before": f"const k = 1  # allow: unused-variable\n{X}",
    "behind the statement after": f"{X}\nconst k = 1  # allow: unused-variable",
    "above the statement after": f"{X}\n# allow: unused-variable\nconst k = 1",
    "at the end of the file": f"{X}\n# allow: unused-variable",
    "in a doc comment": f"{X}  ## allow: unused-variable",
    "right above another first statement": f"# allow: unused-variable\nconst k = 1\n{X}",
}


@pytest.mark.parametrize("text", SWITCHED_OFF.values(), ids=list(SWITCHED_OFF))
def test_a_comment_switches_a_warning_off(text):
    assert idle(text) == []


@pytest.mark.parametrize("text", LEFT_ON.values(), ids=list(LEFT_ON))
def test_a_comment_about_something_else_switches_nothing_off(text):
    assert idle(text) == ["x"]


@pytest.mark.parametrize("text", SWITCHED_OFF.values(), ids=list(SWITCHED_OFF))
def test_a_comment_still_switches_off_after_formatting(text):
    formatted = format_file(loads(text).file)

    assert idle(formatted) == []


SPEC = """
spec leg(hip) {{  {head}
  {first}
  var knee: real
  var foot: real  {behind}
  prefer bend: hip <= 1
}}  {end}
var x: real in [0, 1]
part left = leg(x)
"""


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("head", []),
        ("end", []),
        ("first", ["foot"]),
        ("behind", ["knee"]),
    ],
)
def test_a_comment_in_a_spec_speaks_of_the_innermost_statement(place, expected):
    comments = dict.fromkeys(("head", "first", "behind", "end"), "")
    comments[place] = "# allow: unused-variable"

    assert idle(SPEC.format(**comments)) == expected


def test_an_error_in_the_same_file_is_told_without_the_warnings_switched_off():
    with pytest.raises(EbmError) as caught:
        loads(f"{X}  # allow: unused-variable\nminimize cost: y")

    assert [d.code for d in caught.value.diagnostics] == ["E0201"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("unused-variabel", ["unused-variabel"]),
        ("unused-variable, W9999", ["W9999"]),
        ("unused-variable unused-name", ["unused-variable unused-name"]),
        ("E0201", ["E0201"]),
        ("unknown-name", ["unknown-name"]),
        (" , unused-variable ,,", []),
    ],
)
def test_a_name_that_is_no_warning_s_is_an_error_at_the_name(names, expected):
    text = f"{X}  # allow: {names}"

    assert (unknown(text) if expected else idle(text)) == expected


def test_a_misspelled_name_is_mended_as_its_message_says():
    with pytest.raises(EbmError) as caught:
        loads(f"{X}  # allow: unused-variabel")
    (found,) = caught.value.diagnostics
    (mended,) = found.helps

    assert idle(f"{X}  {mended.strip('`')}") == []


def test_a_warning_about_an_imported_file_is_switched_off_there(tmp_path):
    legs = tmp_path / "legs.ebm"
    main = tmp_path / "main.ebm"
    spec = "spec leg(hip) {\n  var knee: real\n  prefer bend: hip <= 1\n}\n"
    main.write_text(
        "from .legs import leg\nvar x: real in [0, 1]\npart left = leg(x)\nminimize cost: x^2\n"
    )
    from ebmlang.api.load import load

    legs.write_text(spec)
    assert [d.code for d in load(main).diagnostics] == ["W0211"]
    legs.write_text(f"# allow: unused-variable\n\n{spec}")
    assert load(main).diagnostics == ()
