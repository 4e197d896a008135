"""What answers at once stays cheap: neither torch nor ArviZ, under a second of CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.check_terms import count_calls, measure
from tests.examples.folder import find_data

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.ebm"))
HEAVY = ("torch", "arviz_base", "arviz_stats", "arviz", "scipy", "xarray", "rich")
COMMANDS = ("check", "fmt --check", "graph", "graph --stage code", "interface --json")
BUDGET = 1.0

PROBE = """
import json, resource, sys
from ebmlang.cli.main import main
code = main(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"code": code, "cpu": usage.ru_utime + usage.ru_stime,
                  "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def probe(*arguments: str) -> dict:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return json.loads(done.stderr.splitlines()[-1])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_looking_at_an_example_needs_neither_torch_nor_a_second(example, command):
    verb, *options = command.split()
    beside = find_data(example)
    data = [] if beside is None else [str(beside)]

    found = probe(verb, str(example), *options, *(data if verb == "graph" else []))

    assert found["code"] == 0
    assert not set(HEAVY) & set(found["modules"])
    assert found["cpu"] < BUDGET


ROAD = """
import sys
import ebmlang.api.sample as road
from ebmlang.cli.main import main

def stop(*_arguments, **_options):
    print(*sorted(sys.modules))
    raise KeyboardInterrupt

road.sample = stop
main(sys.argv[1:])
"""

NOT_BEFORE_DRAWS = (*(set(HEAVY) - {"torch"}), "hypothesis", "networkx", "pandas", "matplotlib")


@pytest.mark.slow
def test_nothing_is_loaded_before_the_first_draw_that_only_a_verdict_needs():
    """Eight schools: a hierarchy, whose integral is proved finite before it is sampled."""
    examples = ROOT / "examples"

    done = subprocess.run(
        [sys.executable, "-c", ROAD, "sample"]
        + [str(examples / name) for name in ("eight_schools.ebm", "eight_schools.json")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )

    loaded = done.stdout.split()
    assert "torch" in loaded
    assert not set(NOT_BEFORE_DRAWS) & set(loaded)


@pytest.mark.slow
def test_a_run_and_its_verdict_load_nothing_that_they_do_not_need():
    examples = ROOT / "examples"

    found = probe(
        *("sample", "--draws", "50", "--warmup", "50"),
        *(str(examples / name) for name in ("eight_schools.ebm", "eight_schools.json")),
    )

    assert found["code"] in (0, 3)
    # What ArviZ needs comes with the verdict.
    idle = {"ebmlang.solve", "ebmlang.plot", "hypothesis", "networkx"}
    assert not idle & set(found["modules"])


def test_importing_the_package_loads_next_to_nothing():
    code = "import sys, ebmlang; print([m for m in sys.modules if m.startswith('ebmlang')])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )

    assert done.stdout.strip() == "['ebmlang']"


def test_loading_a_spec_from_python_does_not_import_torch():
    code = (
        "import sys, ebmlang; m = ebmlang.load(sys.argv[1]); m.interface(); m.graph('code');"
        "print('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "examples" / "desk.ebm")],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )

    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_checking_a_thousand_terms_does_not_need_torch():
    code, _, torch = measure(1_000)

    assert code == 0
    assert not torch


@pytest.mark.slow
def test_checking_twice_as_many_terms_takes_twice_as_many_calls(capsys):
    count_calls(2)  # imports and caches

    assert count_calls(500) < 2.2 * count_calls(250)
