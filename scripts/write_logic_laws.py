"""Write `docs/logic-laws.md` from the table of laws, with a counterexample for every no.

python scripts/write_logic_laws.py
"""

import re
from pathlib import Path

from ebmlang.lang.laws import CONNECTIVES, FORMS, Claim, Law, Subject, Verdict
from ebmlang.testing.logic_laws import evaluate_trial, find_counterexample, value_of, write_spec

PAGE = Path(__file__).parents[1] / "docs" / "logic-laws.md"

INTRODUCTION = """\
# Laws of logic

Which laws may be relied on when formulas are rewritten, by hand or by a program. This page is
written by `scripts/write_logic_laws.py` from the table `ebmlang/lang/laws.py`, which
`tests/laws/test_logic_laws.py` puts to the test: a yes by looking for a counterexample in random
specs and finding none, a no by finding one. The counterexamples stand below.

## How to read the tables

The letters stand for any formulas: constraints in the first four columns, densities of the same
left sides in the fifth (`d` has another left side), plain energies in the last. A law compares the
two sides by what its column reads off them: the energy C of a constraint, in the logic `product` or
in `godel`; its margin r, or whether it holds, both of which are the same in every logic; the value
of a density or an energy. *Is the same as* means equal values; *costs at most as much as* means an
energy that is not higher, a margin that is not lower, and that it holds wherever the other does.
**Exactly** is to the last digit; **yes** is up to rounding; **no** leads to a counterexample;
— says that the language refuses the formula, or that there is nothing to ask.

Three things to take from it. Margins keep all laws of a lattice and De Morgan's, whatever the
logic; only constants are odd, for `true` has the margin 0 and `false` -1, and at r = 0 both a
formula and its negation hold. In `product` an AND adds up, so that a term written twice counts
twice; `godel` is idempotent, and pays for it with energies that only the worst term shapes. OR of
densities is a mixture with equal shares for what stands side by side, so that brackets change the
shares: `mix` says which are meant.
"""

HEADINGS = {
    Subject.PRODUCT: "C in `product`",
    Subject.GODEL: "C in `godel`",
    Subject.MARGIN: "margin",
    Subject.HOLDS: "holds",
    Subject.DENSITY: "densities",
    Subject.ENERGY: "energies",
}

ON_ENERGIES = (Subject.DENSITY, Subject.ENERGY)


def write_page() -> str:
    """Return the whole page."""
    return "\n".join(
        [
            INTRODUCTION,
            "## `and`, `or`, `not`\n",
            *_table(CONNECTIVES, tuple(Subject)),
            "\n## Forms of densities and energies\n",
            "A constraint stands in these as its energy C.\n",
            *_table(FORMS, ON_ENERGIES),
            "\n## Counterexamples\n",
            "The smallest that the search found.",
            *(_counterexamples(law) for law in (*CONNECTIVES, *FORMS) if _refuted(law)),
        ]
    )


def _table(laws: tuple[Law, ...], subjects: tuple[Subject, ...]) -> list[str]:
    columns = ["law", "", *(HEADINGS[subject] for subject in subjects)]
    rows = [
        [law.name, say_law(law), *(_cell(law, subject) for subject in subjects)] for law in laws
    ]
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def say_law(law: Law) -> str:
    """Return a law as a sentence without its end."""
    claim = f"`{law.left}` {law.claim.value}"
    if law.claim is not Claim.ZERO_IFF:
        claim += f" `{law.right}`"
    if law.premise is None:
        return claim
    low, high = law.premise
    return f"{claim}, if `{low}` {law.claim.value} `{high}`"


def _cell(law: Law, subject: Subject) -> str:
    verdict = law.cells.get(subject)
    if verdict is None:
        return "—"
    return f"[no](#{_anchor(law)})" if verdict is Verdict.NO else verdict.value


def _anchor(law: Law) -> str:
    """Return the name of a heading in a link."""
    return re.sub(r"[^a-z -]", "", law.name.lower()).replace(" ", "-")


def _refuted(law: Law) -> list[Subject]:
    return [subject for subject, verdict in law.cells.items() if verdict is Verdict.NO]


def _counterexamples(law: Law) -> str:
    blocks = [f"\n### {law.name}", *(_counterexample(law, subject) for subject in _refuted(law))]
    return "\n\n".join(blocks)


def _counterexample(law: Law, subject: Subject) -> str:
    trial = find_counterexample(law, subject)
    assert trial is not None, f"no counterexample to {law.name} of {subject.value}"
    found = evaluate_trial(law, trial)
    left, right = (show_value(subject, value_of(found, subject, p)) for p in ("left", "right"))
    point = ", ".join(f"{name} = {value:g}" for name, value in trial.point.items())
    spec = f"```ebm\n{write_spec(law, trial)}```"
    return f"{HEADINGS[subject]}, at `{point}`: left {left}, right {right}.\n\n{spec}"


def show_value(subject: Subject, value: float) -> str:
    """Return a value as the page has it."""
    if subject is Subject.HOLDS:
        return "holds" if value else "does not hold"
    return f"{value + 0.0:.6g}"  # -0 is 0


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
