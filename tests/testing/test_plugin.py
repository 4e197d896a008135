"""The pytest plugin, run by a pytest inside this one."""

import subprocess
import sys

import pytest

pytest_plugins = ("pytester",)

PLUGIN = ("-p", "no:cacheprovider", "-W", "error")
# The doctests of this run may have imported it before: only then pytest cannot rewrite it.
PLUGIN += ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")

SPEC = """
var x: real in [0, 4]
require low: x <= 3
property even: forall t: real in [-1, 1]: t^2 == (-t)^2 within 1e-9
property small: forall t: real in [0, 2]: t^2 <= 2
example inside { x = 2 } satisfies low
example outside { x = 2 } violates low
"""


@pytest.fixture
def run(pytester):
    def run_in_process(*arguments):
        return pytester.runpytest_inprocess(*PLUGIN, *arguments)

    return run_in_process


def test_each_property_and_example_is_an_item(pytester, run):
    pytester.makefile(".ebm", test_desk=SPEC)

    run("-v").assert_outcomes(passed=2, failed=2)


def test_one_item_can_be_chosen_by_name(pytester, run):
    pytester.makefile(".ebm", test_desk=SPEC)

    run("test_desk.ebm::even").assert_outcomes(passed=1)
    run("-k", "inside").assert_outcomes(passed=1, deselected=3)


def test_failures_are_drawn_without_a_traceback(pytester, run):
    pytester.makefile(".ebm", test_desk=SPEC)

    result = run()

    result.stdout.fnmatch_lines(
        [
            "*error?E0417 refuted?: the property `small` does not hold everywhere",
            "*property small: forall t: real in ?0, 2?: t^2 <= 2",
            "*example small_fails { t = 2 } violates small",
            "*the example `outside` does not violate `low`",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "plugin.py" not in result.stdout.str()


def test_a_spec_that_is_wrong_is_an_error_of_collection(pytester, run):
    pytester.makefile(".ebm", test_desk="property p: y >= 1")

    result = run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no value is called `y`"])


def test_other_specs_are_collected_only_when_they_are_named(pytester, run):
    pytester.makefile(".ebm", desk=SPEC)

    run().assert_outcomes()
    run("desk.ebm").assert_outcomes(passed=2, failed=2)


def test_a_spec_may_import_what_lies_beside_it(pytester, run):
    pytester.makefile(".ebm", desk="fn square(a) = a^2")
    pytester.makefile(
        ".ebm",
        test_desk="from .desk import square\nproperty p: forall a: real: square(a) >= 0",
    )

    run().assert_outcomes(passed=1)


def test_python_tests_run_beside_it_as_before(pytester, run):
    pytester.makefile(".ebm", test_desk="property p: forall a: real: a^2 >= 0")
    pytester.makepyfile("def test_one(): pass")

    run().assert_outcomes(passed=2)


def test_without_the_plugin_specs_are_no_tests(pytester):
    pytester.makefile(".ebm", test_desk=SPEC)
    pytester.makepyfile("def test_one(): pass")

    pytester.runpytest_inprocess("-p", "no:ebm").assert_outcomes(passed=1)


def test_loading_the_plugin_loads_nothing_else_of_the_package():
    code = (
        "import sys, ebmlang.testing.plugin\n"
        "print(sorted(m for m in sys.modules if m.startswith('ebmlang') or m in "
        "('numpy', 'torch', 'hypothesis')))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['ebmlang', 'ebmlang.testing', 'ebmlang.testing.plugin']"
