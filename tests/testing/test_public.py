"""The public names of `ebmlang.testing`."""

import subprocess
import sys

import pytest

from ebmlang import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_every_public_name_is_there(name):
    assert getattr(testing, name) is not None


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError, match="no attribute `stats`"):
        testing.stats  # noqa: B018


def test_importing_it_loads_neither_torch_nor_hypothesis():
    code = "import sys, ebmlang.testing; print({'torch', 'hypothesis', 'numpy'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
