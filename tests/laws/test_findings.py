"""What is said of all points is true of random ones: each claim of a finding, by the oracle."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang.api.check import find_findings
from ebmlang.api.load import loads
from ebmlang.testing.strategies import Arithmetic, Case, specs
from ebmlang.testing.values import Values, by_oracle

ROUNDING = 1e-9
"""What the oracle may be off by, relative to 1 or to the value."""

CLAIMED = {"W0423", "W0424", "E0411", "W0331"}
"""The findings whose claims are looked at."""

BOUNDED = {"u": "[-2, 2]", "x": "[-2, 2]", "p": "[-2, 2]", "q": "[-2, 2]", "s": "[-2, 2]"}
"""Domains that hold all points that are drawn, so that bounds have something to say."""


def bounded(text: str) -> str:
    """Return a drawn spec with bounds on its variables."""
    lines = []
    for line in text.split("\n"):
        words = line.split()
        declares = words[:1] == ["var"]
        lines.append(f"{line} in {BOUNDED[words[1].rstrip(':')]}" if declares else line)
    return "\n".join(lines)


def claim_holds(code: str, path: str, values: Values) -> bool:
    """Return whether what a finding says of a term is true at the points."""
    match code:
        case "W0423":
            return bool((values.margins[path] >= -ROUNDING).all())
        case "E0411" if path not in values.margins:
            # An energy, which has no margin: what is said is that it is infinite.
            return bool(np.isposinf(values.energies[path]).all())
        case "W0424" | "E0411":
            return bool((values.margins[path] < ROUNDING).all())
        case "W0331":
            energies = values.energies[path]
            return bool(np.allclose(energies, energies[0], rtol=ROUNDING, atol=ROUNDING))
        case _:
            return True


@pytest.mark.slow
def test_what_is_found_is_true_of_random_specs():
    claims: Counter[str] = Counter()

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=st.sampled_from(Arithmetic).flatmap(lambda kind: specs(kind, depth=2)))
    def law(case: Case):
        text = bounded(case.text)
        model = loads(text).bind(case.data)
        values = by_oracle(case, model.program)
        for diagnostic in find_findings(model):
            path = diagnostic.headline.split("`")[1]
            claims[diagnostic.code] += 1
            assert claim_holds(diagnostic.code, path, values), (diagnostic.headline, text)

    law()

    # Otherwise the law was tested on next to nothing. Which kinds come up changes with the source
    # of the package, whose constants hypothesis draws from.
    assert len(CLAIMED & set(claims)) >= 3
