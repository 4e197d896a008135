"""The examples are proved proper, have a plan, and are checked quickly and without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ebmlang
from ebmlang.analysis import GraphFacts
from ebmlang.analysis.plan import Verb, build_plan
from ebmlang.analysis.verdict import Answer, Question
from tests.examples.folder import FILES, find_data

LIMIT = 2.0
"""Processor time in which a spec of a thousand terms is to be checked [s]."""

TERMS = 1000

JUSTIFIED: dict[tuple[str, Question], str] = {}
"""Verdicts on examples that may be unknown, and why no proof is asked for."""


def facts_of(path: Path) -> GraphFacts:
    facts = ebmlang.load(path).analyze(find_data(path))
    assert facts is not None
    return facts


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_proper(path: Path):
    propriety = facts_of(path).propriety

    for verdict in (propriety.bounded_below, propriety.has_minimizer, propriety.integrable):
        if verdict.answer is not Answer.PROPER:
            assert verdict.answer is Answer.UNKNOWN, verdict
            assert (path.stem, verdict.question) in JUSTIFIED, verdict


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_has_a_plan_for_every_variable(path: Path):
    facts = facts_of(path)

    plan = build_plan(facts)

    planned = {variable for block in plan.blocks for variable in block.block.variables}
    assert planned == {variable.path for variable in facts.graph.variables}
    assert plan.sampler.because
    for block in plan.blocks:
        assert all(step.runs for step in block.steps if step.verb is Verb.SOLVE)


def thousand_terms() -> str:
    """Return a spec of a hundred variables in a chain, with ten terms on each."""
    lines = [f"var x{i}: real" for i in range(100)]
    for i in range(TERMS):
        a, b = i % 100, (i * 7 + 1) % 100
        lines.append(
            (
                f"prefer t{i}: x{a} ~ normal({i % 5}, 2)",
                f"prefer t{i}: x{a} - x{b} <= {i % 3} within 1",
                f"prefer t{i}: (x{a} >= 1 within 1) or (x{b} <= 2 within 1)",
                f"minimize t{i}: abs(x{a} - {i % 4})",
            )[i % 4 if i >= 100 else 0]
        )
    return "\n".join(lines)


def in_a_process(code: str) -> list[float]:
    """Return what a new interpreter finds: the value of `found`."""
    imports = "import json, sys, time\nfrom ebmlang.cli.main import main"
    script = f"{imports}\n{code}\nprint(json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_checking_every_example_loads_no_torch():
    files = [str(path) for path in FILES]

    code, torch = in_a_process(
        f"code = main(['check', '--quiet', *{files!r}])\nfound = [code, 'torch' in sys.modules]"
    )

    assert code == 0
    assert not torch


@pytest.mark.slow
def test_a_thousand_terms_are_checked_within_two_seconds(tmp_path: Path):
    """Processor time of the whole process, from the start of Python."""
    file = tmp_path / "large.ebm"
    file.write_text(thousand_terms())

    code, seconds = in_a_process(
        f"code = main(['check', '--quiet', {str(file)!r}])\nfound = [code, time.process_time()]"
    )

    assert code == 0
    assert seconds < LIMIT
