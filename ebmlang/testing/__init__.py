"""What users test with: strategies, laws, golden helpers, targets with known answers.

    from hypothesis import given
    from ebmlang.testing import assert_kernel_matches_oracle, specs

    @given(specs())
    def test_compiled_specs_have_the_values_of_the_oracle(case):
        assert_kernel_matches_oracle(case)

The pytest plugin beside this, `ebmlang.testing.plugin`, collects `test_*.ebm`. Importing this costs
next to nothing: what a name stands for is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebmlang.lang.laws import LAWS, Law
    from ebmlang.testing.clusters import LOWEST_ENERGIES, lennard_jones
    from ebmlang.testing.domain_points import points, states
    from ebmlang.testing.goldens import assert_golden
    from ebmlang.testing.laws import assert_kernel_matches_oracle, assert_rewrite_keeps_energy
    from ebmlang.testing.logic_laws import find_counterexample, write_spec
    from ebmlang.testing.outcome import Outcome
    from ebmlang.testing.strategies import Arithmetic, Case, formulas, specs
    from ebmlang.testing.suite import run_tests
    from ebmlang.testing.target import Target
    from ebmlang.testing.targets import TARGETS, find_target

_MODULES = {
    "LAWS": "ebmlang.lang.laws",
    "Law": "ebmlang.lang.laws",
    "assert_golden": "ebmlang.testing.goldens",
    "assert_kernel_matches_oracle": "ebmlang.testing.laws",
    "assert_rewrite_keeps_energy": "ebmlang.testing.laws",
    "LOWEST_ENERGIES": "ebmlang.testing.clusters",
    "lennard_jones": "ebmlang.testing.clusters",
    "find_counterexample": "ebmlang.testing.logic_laws",
    "write_spec": "ebmlang.testing.logic_laws",
    "Outcome": "ebmlang.testing.outcome",
    "points": "ebmlang.testing.domain_points",
    "states": "ebmlang.testing.domain_points",
    "Arithmetic": "ebmlang.testing.strategies",
    "Case": "ebmlang.testing.strategies",
    "formulas": "ebmlang.testing.strategies",
    "specs": "ebmlang.testing.strategies",
    "run_tests": "ebmlang.testing.suite",
    "Target": "ebmlang.testing.target",
    "TARGETS": "ebmlang.testing.targets",
    "find_target": "ebmlang.testing.targets",
}

__all__ = [
    "LAWS",
    "LOWEST_ENERGIES",
    "TARGETS",
    "Arithmetic",
    "Case",
    "Law",
    "Outcome",
    "Target",
    "assert_golden",
    "assert_kernel_matches_oracle",
    "assert_rewrite_keeps_energy",
    "find_counterexample",
    "find_target",
    "formulas",
    "lennard_jones",
    "points",
    "run_tests",
    "specs",
    "states",
    "write_spec",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module `ebmlang.testing` has no attribute `{name}`")
    return vars(import_module(_MODULES[name]))[name]
