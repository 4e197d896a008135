"""The grammar: every rule has a builder, and the kept tables may be missing, wrong or locked."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from ebmlang.source import SourceText
from ebmlang.syntax.grammar import (
    TABLES,
    build_grammar,
    find_fingerprint,
    find_grammar,
    load_grammar,
)
from ebmlang.syntax.lexemes import END, cut_text
from ebmlang.syntax.machine import Machine
from ebmlang.syntax.tables import STARTS, build_tables
from ebmlang.syntax.tree_builder import BUILDERS
from tests.syntax.reading import DESK


def _is_usable(grammar):
    lexemes, _ = cut_text(SourceText("desk.ebm", DESK), grammar.pattern)
    machine = Machine(grammar, "file")
    return all(machine.feed(lexeme) for lexeme in lexemes) and len(machine.result) == 10


def test_every_rule_has_its_builder_and_every_builder_its_rule():
    rules = [
        rule
        for rule in build_tables(find_grammar())["rules"]
        if not rule["name"].startswith("_") and not (rule["transparent"] and rule["size"] == 1)
    ]

    assert {rule["builder"] for rule in rules} == set(BUILDERS)


def test_the_tables_are_plain():
    tables = build_tables(find_grammar())

    assert json.loads(json.dumps(tables)) == tables


def test_the_start_rules_are_a_file_an_expression_and_a_domain():
    assert set(load_grammar().first) == set(STARTS)


def test_ebm_lark_takes_only_terminals_from_elsewhere():
    text = (find_grammar() / "ebm.lark").read_text(encoding="utf-8")

    for names in re.findall(r"%import \.tokens \((.*)\)", text):
        assert names == names.upper()
    assert len(re.findall("%import", text)) == len(re.findall(r"%import \.tokens \(", text))


def test_the_tables_beside_the_rules_are_theirs():
    """Where this fails, `python scripts/write_grammar_tables.py` writes them anew."""
    kept = json.loads((find_grammar() / TABLES).read_text(encoding="utf-8"))

    assert kept["made_from"] == find_fingerprint(find_grammar())
    assert kept["tables"] == build_tables(find_grammar())


def test_the_tables_do_not_hang_on_the_process():
    code = (
        "import json; from ebmlang.syntax.grammar import find_grammar;"
        "from ebmlang.syntax.tables import build_tables;"
        "print(json.dumps(build_tables(find_grammar())))"
    )

    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1")
    }

    assert len(texts) == 1


def test_tables_beside_the_rules_need_no_cache(tmp_path):
    assert _is_usable(build_grammar(find_grammar(), tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def rules(tmp_path):
    """The grammar without tables."""
    folder = tmp_path / "grammar"
    folder.mkdir()
    for name in ("tokens.lark", "ebm.lark"):
        shutil.copy(find_grammar() / name, folder / name)
    return folder


def test_the_tables_are_kept_and_found_again(rules, tmp_path):
    folder = tmp_path / "new" / "cache"

    assert _is_usable(build_grammar(rules, folder))
    (kept,) = folder.iterdir()
    before = kept.read_bytes()

    assert _is_usable(build_grammar(rules, folder))
    assert [path.read_bytes() for path in folder.iterdir()] == [before]


@pytest.mark.parametrize("end", ["half", "of another shape"])
def test_broken_kept_tables_are_made_again(rules, tmp_path, end):
    folder = tmp_path / "cache"
    build_grammar(rules, folder)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if end == "half" else b"[]")

    assert _is_usable(build_grammar(rules, folder))


def test_a_folder_that_cannot_be_made_is_done_without(rules, tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")

    assert _is_usable(build_grammar(rules, file / "cache"))


def test_tables_of_other_rules_are_not_taken(rules, tmp_path):
    """As after an edit of the grammar: neither those beside the rules nor those of a cache."""
    shutil.copy(find_grammar() / TABLES, rules / TABLES)
    build_grammar(rules, tmp_path / "cache")
    edited = (rules / "ebm.lark").read_text(encoding="utf-8")
    (rules / "ebm.lark").write_text(edited + "\n// changed\n", encoding="utf-8")

    build_grammar(rules, tmp_path / "cache")

    (kept,) = (tmp_path / "cache").iterdir()
    assert find_fingerprint(rules) in kept.name


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import ebmlang.syntax", ["lark", "numpy", "torch", "networkx"]),
        (
            "from ebmlang.syntax import *; from ebmlang.source import *;"
            "format_file(parse_file(SourceText('a', 'let a = 1'), Report()))",
            ["numpy", "torch", "networkx"],
        ),
    ],
)
def test_this_room_brings_in_no_more_than_it_needs(statement, absent):
    code = f"{statement}\nimport sys; print([name for name in {absent} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_end_of_a_text_has_no_width():
    lexemes, comments = cut_text(SourceText("case", "let a # b\n\n"), load_grammar().pattern)

    assert lexemes[-1].type == END
    assert (lexemes[-1].span.start, lexemes[-1].span.end) == (5, 5)
    assert [comment.text for comment in comments] == ["# b"]
