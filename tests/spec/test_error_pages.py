"""Each code has a page that explains it, whose programs do what the page says they do."""

import re
from pathlib import Path

import numpy as np
import pytest

import ebmlang
from ebmlang.check import FolderLoader
from ebmlang.source import CODES, Diagnostic, EbmError, Severity
from tests.diagnostics.road import find_in_model, find_in_text

PAGES = Path(__file__).parents[2] / "docs" / "errors"
BLOCK = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

OF_A_FILE = [code for code in CODES if code[1:3] in ("01", "02", "03") and code != "E0109"]
"""Codes that the text of a program alone can give."""

OF_A_MODEL = [code for code in CODES if code[1:3] == "04" and code != "E0417"]
"""Codes that the analyses of a program give."""

PEDANTIC = ("W0422", "W0427", "W0428")
"""Those of them that only `--pedantic` gives."""

OF_A_RUN = {"E0412": "sample"}
"""Those of them that are about one use of a program."""

OF_A_PROGRAM = [*OF_A_FILE, *OF_A_MODEL]

OF_PYTHON = ["E0725"]
"""Codes that only a program in Python gives."""

OF_A_COMMAND = [code for code in CODES if code not in (*OF_A_PROGRAM, *OF_PYTHON)]
"""Codes about data, files and the command line; the tests of the command give each of them."""


def blocks(code: str) -> dict[str, str]:
    """Return the fenced blocks of a page by what is written behind the fence."""
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    return dict(BLOCK.findall(text))


def told(code: str, block: str) -> tuple[Diagnostic, ...]:
    """Return what is said about a program of a page, which may import what lies beside it."""
    name = f"{code}.ebm"
    text, loader = blocks(code)[block], FolderLoader(PAGES / name, name)
    if code in OF_A_FILE:
        return find_in_text(text, name, loader)
    verb = OF_A_RUN.get(code, "check")
    return find_in_model(text, name, loader, pedantic=code in PEDANTIC, verb=verb)


def test_every_code_has_a_page_and_every_page_a_code():
    assert {path.name for path in PAGES.iterdir()} == {f"{code}.md" for code in CODES}


@pytest.mark.parametrize("code", CODES)
def test_a_page_is_titled_by_its_code_and_slug(code):
    first, blank, paragraph = (PAGES / f"{code}.md").read_text(encoding="utf-8").split("\n")[:3]

    assert first == f"# {code} {CODES[code].slug}"
    assert not blank
    assert paragraph[0].isupper() or paragraph[0] == "`"


@pytest.mark.parametrize("code", OF_A_PROGRAM)
def test_the_wrong_program_of_a_page_gives_its_code_and_no_other(code):
    found = told(code, "ebm wrong")

    assert [d.code for d in found] == [code]


@pytest.mark.parametrize("code", OF_A_PROGRAM)
def test_the_right_program_of_a_page_is_accepted_without_a_word(code):
    found = told(code, "ebm right")

    assert [(d.code, d.headline) for d in found] == []


@pytest.mark.parametrize("code", OF_A_PROGRAM)
def test_the_two_programs_of_a_page_are_all_its_blocks(code):
    assert list(blocks(code)) == ["ebm wrong", "ebm right"]


@pytest.mark.parametrize("code", OF_A_COMMAND)
def test_the_page_of_a_command_s_message_shows_a_wrong_and_a_right_command(code):
    (shown,) = blocks(code).items()
    wrong, right = shown[1].splitlines()

    assert shown[0] == "console"
    assert wrong.startswith("$ ebm ")
    assert "# wrong" in wrong
    assert right.startswith("$ ebm ")
    assert "# right" in right


@pytest.mark.parametrize("code", OF_PYTHON)
def test_the_page_of_python_s_message_shows_a_wrong_and_a_right_term(code):
    (shown,) = blocks(code).items()
    found = {}
    for line in shown[1].splitlines():
        term, wanted = line.split("  # ")
        # A page of our own.
        required = {"inside": eval(term, {"ebmlang": ebmlang})}
        model = ebmlang.compose({"x": "real[2]"}, require=required)
        try:
            model.terms({"x": np.zeros((3, 2))})
        except EbmError as error:
            found[wanted.split(":")[0]] = [d.code for d in error.diagnostics]
        else:
            found[wanted.split(":")[0]] = []

    assert shown[0] == "python"
    assert found == {"wrong": [code], "right": []}


@pytest.mark.parametrize("code", OF_A_PROGRAM)
def test_a_warning_s_page_gives_a_warning(code):
    (found,) = told(code, "ebm wrong")

    assert (found.severity is Severity.WARNING) == code.startswith("W")


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("W")])
def test_a_warning_s_page_says_how_to_switch_it_off(code):
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")

    assert f"`# allow: {CODES[code].slug}` at the statement switches this warning off" in text
