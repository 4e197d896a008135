"""Draws are written so that what is read again is what was drawn."""

import json

import numpy as np
import pytest
import xarray

import ebmlang
from ebmlang.api import read_data
from ebmlang.runs.samples import require_format
from ebmlang.source import EbmError

SPEC = "var x: real[2] ~ normal(0, 1)\nvar file: real in [0, 1]\nreport gap = x[0] - x[1]"


@pytest.fixture(scope="module")
def samples():
    return ebmlang.loads(SPEC).sample(chains=4, warmup=20, draws=10, seed=1)


def test_json_holds_everything(samples, tmp_path):
    samples.write(tmp_path / "s.json")

    read = json.loads((tmp_path / "s.json").read_text())

    np.testing.assert_array_equal(read["variables"]["x"], samples.draws["x"])
    assert read["status"] == "untrusted"
    assert read["seed"] == 1
    assert [row["name"] for row in read["summary"]] == ["energy", "x[0]", "x[1]", "file", "gap"]


def test_an_archive_holds_the_draws_under_any_name(samples, tmp_path):
    samples.write(tmp_path / "s.npz")

    read = read_data(tmp_path / "s.npz")

    assert set(read) == {"energy", "x", "file", "gap"}
    np.testing.assert_array_equal(read["file"], samples.draws["file"])


def test_arviz_gets_posterior_and_statistics(samples):
    tree = samples.to_arviz()

    assert tree["posterior"]["x"].shape == (4, 10, 2)
    np.testing.assert_array_equal(tree["sample_stats"]["energy"], samples.energies)
    assert tree.attrs["seed"] == 1


def test_an_unknown_format_is_refused_before_the_run(tmp_path):
    with pytest.raises(EbmError) as raised:
        require_format(tmp_path / "draws.txt")

    assert raised.value.diagnostics[0].code == "E0804"


def test_netcdf_opens_as_what_was_drawn(samples, tmp_path):
    samples.write(tmp_path / "draws.nc")

    with xarray.open_datatree(tmp_path / "draws.nc") as tree:
        np.testing.assert_array_equal(tree["posterior"]["x"], samples.draws["x"])
        assert tree.attrs["status"] == "untrusted"
