"""The page on testing: its specs are accepted and do what it says."""

import re
from pathlib import Path

import ebmlang
from ebmlang.source.draw import draw_diagnostics
from ebmlang.testing import run_tests

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def blocks(kind):
    return [text for found, text in BLOCKS if found == kind]


def test_all_that_the_specs_say_of_themselves_holds():
    for text in blocks("ebm"):
        model = ebmlang.loads(text)

        assert model.program.claims
        assert [one.name for one in run_tests(model) if not one.passed] == []


def test_what_is_refuted_is_refuted_as_shown():
    (text,) = blocks("ebm refuted")
    (shown,) = (block for block in blocks("console") if "E0417" in block)

    (found,) = run_tests(ebmlang.loads(text, name="desk.ebm"))

    assert shown.endswith(f"\n\n{draw_diagnostics(found.failures)}\n")


def test_the_python_on_the_page_runs():
    (text,) = blocks("python")
    names = {}

    exec(text, names)

    names["test_something_about_directions"]()
