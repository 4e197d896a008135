"""ArviZ and xarray get the draws under the names that they know."""

import numpy as np
import pytest
import xarray

import ebmlang
from ebmlang.runs import arviz
from ebmlang.runs.arviz import to_arviz
from ebmlang.source import EbmError

SPEC = """
given m: real[2]
var x: real[2] ~ normal(m, 1)
minimize low: 0.1 * x[0]^2
report gap = x[0] - x[1]
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    path = tmp_path_factory.mktemp("arviz") / "a.run"
    samples = ebmlang.loads(SPEC, name="two.ebm").sample(
        {"m": [1.0, 2.0]}, chains=4, warmup=30, draws=40, method="hmc", seed=1, out=path
    )
    return path, samples


def test_every_group_is_there_with_the_draws_of_the_run(drawn):
    path, samples = drawn

    tree = to_arviz(path)

    assert set(tree.children) == {"posterior", "sample_stats", "term_energies", "constant_data"}
    np.testing.assert_array_equal(tree["posterior"]["x"], samples.draws["x"])
    np.testing.assert_array_equal(tree["posterior"]["gap"], samples.reports["gap"])
    np.testing.assert_array_equal(tree["sample_stats"]["lp"], -samples.energies)
    np.testing.assert_array_equal(
        tree["sample_stats"]["diverging"], samples.values.stats["diverged"] > 0
    )
    np.testing.assert_array_equal(tree["constant_data"]["m"], [1, 2])
    assert tree.attrs["spec"] == "two.ebm"
    assert tree.attrs["seed"] == 1


def test_terms_sum_to_the_energy(drawn):
    tree = to_arviz(drawn[0])

    total = sum(tree["term_energies"][name] for name in ("x", "low"))

    np.testing.assert_allclose(total, tree["sample_stats"]["energy"], rtol=1e-12)


def test_draws_have_the_axes_that_arviz_computes_over(drawn):
    tree = to_arviz(drawn[0])

    assert tree["posterior"]["x"].dims == ("chain", "draw", "x_dim_0")
    for group in ("sample_stats", "term_energies"):
        assert {array.dims for array in tree[group].data_vars.values()} == {("chain", "draw")}


def test_a_run_that_goes_on_can_be_looked_at(drawn, tmp_path):
    path, _ = drawn
    copy = tmp_path / "copy.run"
    copy.mkdir()
    for name in ("run.json", "data.npz", "draws-000000001.npz"):
        (copy / name).write_bytes((path / name).read_bytes())

    assert to_arviz(copy).attrs["status"] == "running"


def test_zarr_opens_as_what_was_drawn(drawn, tmp_path):
    samples = drawn[1]

    samples.write(tmp_path / "a.zarr")

    with xarray.open_datatree(tmp_path / "a.zarr", engine="zarr", consolidated=False) as tree:
        np.testing.assert_array_equal(tree["posterior"]["x"], samples.draws["x"])
        assert tree.attrs["spec"] == "two.ebm"


def test_without_zarr_its_ending_is_refused(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(arviz, "find_spec", lambda name: None)

    with pytest.raises(EbmError) as raised:
        drawn[1].write(tmp_path / "a.zarr")

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "E0808"
    assert "ebmlang[zarr]" in diagnostic.helps[0]
