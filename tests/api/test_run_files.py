"""Runs are read back from what `sample` and `solve` write."""

import json

import numpy as np
import pytest
import torch

from ebmlang import loads
from ebmlang.api.run_files import read_run
from ebmlang.source import EbmError

torch.set_num_threads(1)

TEXT = "var x: real[2] in [0, 1]\nvar y: real ~ normal(0, 1)\nminimize low: sum(x)\nreport s = y"

SHAPES = {"x": (2,), "y": ()}


@pytest.fixture(scope="module")
def samples():
    return loads(TEXT).sample(chains=4, draws=8, warmup=20, seed=1)


@pytest.mark.parametrize("ending", [".nc", ".npz", ".json"])
def test_every_format_of_draws_is_read(samples, tmp_path, ending):
    file = tmp_path / f"run{ending}"
    samples.write(file)

    run = read_run(file, SHAPES)

    assert (run.kind, run.count) == ("draws", 32)
    for path in SHAPES:
        np.testing.assert_allclose(run.values[path], samples.draws[path])


def test_designs_are_read(tmp_path):
    found = loads(TEXT).solve(starts=8, seed=0)
    file = tmp_path / "found.json"
    file.write_text(json.dumps(found.describe(), default=lambda value: value.tolist()))

    run = read_run(file, SHAPES)

    assert (run.kind, run.count) == ("designs", len(found))
    np.testing.assert_allclose(run.values["x"][0, 0], found[0].variables["x"])


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("{", "E0803", "is not JSON"),
        ("[]", "E0710", "neither a run"),
        ('{"designs": []}', "E0710", "has no designs"),
        ('{"energies": [[0]], "variables": {"x": [[[0, 0]]]}}', "E0710", "no values of `y`"),
        ('{"energies": [[0]], "variables": {"x": [[[0]]], "y": [[0]]}}', "E0710", "should have"),
        ('{"energies": [], "variables": {"x": [[[0, 0]]], "y": [[0, 1]]}}', "E0710", "differ"),
    ],
)
def test_a_file_that_is_no_run_is_refused(tmp_path, content, code, words):
    file = tmp_path / "run.json"
    file.write_text(content)

    with pytest.raises(EbmError) as raised:
        read_run(file, SHAPES)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == code
    assert words in diagnostic.headline


def test_a_netcdf_file_that_is_none_is_refused(tmp_path):
    file = tmp_path / "run.nc"
    file.write_bytes(b"nothing")

    with pytest.raises(EbmError) as raised:
        read_run(file, SHAPES)

    assert raised.value.diagnostics[0].code == "E0803"
