"""The printed graph, as built and after the passes, for people to read.

After a wanted change, `EBM_WRITE_GOLDENS=1 pytest tests/graph` writes the texts again.
"""

import os
from pathlib import Path

import pytest

from ebmlang.graph.show import show_graph
from tests.road import built, optimized

GOLDEN = Path(__file__).parent.parent / "golden"

PROGRAMS = {
    "logic": """
        var x: real[2] in [-2, 2]
        prefer out: not (norm(x) <= 1 within 0.5 and x[0] >= 0)
        """,
    "pairs": """
        var points: real[4, 2]
        require spread: forall a, b in pairs(points): norm(a - b) >= 1
        minimize size: sum p in points: dot(p, p)
        """,
    "recurrence": """
        given gain: real = 0.5
        var pull: real[10] in [-1, 1]
        let path = scan s = 0 over u in pull: s + gain * u
        prefer end: path[10] == 3 within 0.1
        """,
    "terms": """
        var x: real[6]
        prefer a: x[0] <= 1 within 0.5 or x[1] >= 3
        prefer b: x[2] <= 2 within 0.5 or x[3] >= 4
        prefer c: x[4] <= 3 within 0.5 or x[5] >= 5
        prefer d: x[5] <= 4 within 0.5 or x[0] >= 6
        minimize e: x[3]^2
        """,
    "parts": """
        spec joint(at) {
          var angle: real ~ normal(at, 1)
          prefer low: angle <= 2 within 0.2 weight 3
        }
        part left = joint(-1)
        part right = joint(1) weight 2
        """,
}


@pytest.mark.parametrize("stage", ["graph", "optimized"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_printed_graph_is_the_one_beside(name, stage):
    golden = GOLDEN / stage / f"{name}.txt"

    shown = show_graph({"graph": built, "optimized": optimized}[stage](PROGRAMS[name]))

    if os.environ.get("EBM_WRITE_GOLDENS"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
