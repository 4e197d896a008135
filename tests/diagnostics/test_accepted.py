"""What looks wrong and is right gets no message."""

import pytest

from tests.diagnostics.road import find_in_text

ACCEPTED = {
    "connectives in capitals": "var x: real in [0, 1]\n"
    "prefer p: x <= 0.5 AND NOT x <= 0.1 OR x >= 0.9",
    "names that differ from words by case": "var In: real in [0, 1]\nminimize Sum: In^2",
    "a parameter named like a const": "const a = 2\nfn f(a) = a * 2\nvar x: real in [0, a]\n"
    "minimize cost: f(x)",
    "a variable named like a distribution": "var beta: real ~ beta(2, 2)",
    "a value named like a function": "fn size_of(a) = a\nvar size_of: real in [0, 1]\n"
    "minimize cost: size_of(size_of)",
    "statements in any order": "minimize cost: f(y)\nlet y = x * k\nfn f(a) = a * k\nconst k = 2\n"
    "var x: real in [0, 1]",
    "statements on one line": "const k = 2 var x: real in [0, k] minimize cost: x * k",
    "line breaks of another system": "var x: real in [0, 1]\r\n# why\r\nminimize cost: x^2\r\n",
    "tabs": "var x:\treal\tin [0, 1]\n\tminimize cost:\tx^2",
    "commas at the end": "var x: real[2,] in [[0, 0,], [1, 1,],]\nminimize cost: norm(x,)",
    "an empty body": "spec nothing() {}\npart p = nothing()\n"
    "var x: real in [0, 1]\nminimize cost: x",
    "a tolerance that makes whole numbers real": "given n: int\nvar x: real in [0, 1]\n"
    "prefer even: n % 2 == 0 within 0.5\nminimize cost: x * n",
    "an empty range": "var x: real in [0, 1]\nminimize cost: x + sum i in 1..0: i",
    "a chain of relations": "var x: real in [-1, 2]\nprefer inside: 0 <= x <= 1 within 0.1",
    "a file with nothing in it": "",
    "a file of comments": "## what it says\n# nothing",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=list(ACCEPTED))
def test_what_looks_wrong_and_is_right_gets_no_message(text):
    assert [(d.code, d.headline) for d in find_in_text(text)] == []
