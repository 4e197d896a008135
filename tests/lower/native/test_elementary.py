"""exp and log of vectors are those of the C library, far out and at the edges too."""

import ctypes

import numpy as np
import pytest

from ebmlang.lower.native.build import Library, build_library, find_compiler
from ebmlang.lower.native.emit import support

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

DTYPES = {"float32": np.float32, "float64": np.float64}

TEXT = """
void apply_exp(int64_t many, const real *x, real *out) {
  for (int64_t i = 0; i < many; i += LANES) *(vec *)(out + i) = exponential(*(const vec *)(x + i));
}
void apply_log(int64_t many, const real *x, real *out) {
  for (int64_t i = 0; i < many; i += LANES) *(vec *)(out + i) = logarithm(*(const vec *)(x + i));
}
"""


def apply(name, x):
    library = build_library(f"{support()}\n{TEXT}", str(x.dtype))
    assert isinstance(library, Library), library
    # Vectors begin at multiples of 64 bytes.
    room = [np.zeros(len(x) * x.itemsize + 64, np.uint8) for _ in range(2)]
    whole = [r[-r.ctypes.data % 64 :][: len(x) * x.itemsize].view(x.dtype) for r in room]
    whole[0][:] = x
    pointers = [ctypes.c_void_p(values.ctypes.data) for values in whole]
    getattr(library.handle, f"apply_{name}")(ctypes.c_int64(len(x)), *pointers)
    return whole[1].copy()


def grid(low, high, dtype):
    return np.linspace(low, high, 1 << 18).astype(dtype)


def count_ulps(found, x, function):
    exact = function(x.astype(np.longdouble))
    with np.errstate(over="ignore", under="ignore"):
        spacing = np.spacing(np.abs(exact.astype(x.dtype)))
    return float(np.max(np.abs(found - exact) / spacing))


@pytest.mark.parametrize("name", list(DTYPES))
def test_exp_is_within_two_units_in_the_last_place(name):
    # Down into the subnormal numbers, and up to the largest.
    low, high = (-103.2, 88.72) if name == "float32" else (-744.4, 709.78)
    for x in (grid(low, high, DTYPES[name]), grid(-1, 1, DTYPES[name])):
        assert count_ulps(apply("exp", x), x, np.exp) < 2


@pytest.mark.parametrize("name", list(DTYPES))
def test_log_is_within_two_units_in_the_last_place(name):
    info = np.finfo(DTYPES[name])
    edges = np.log([float(info.smallest_subnormal) * 4, float(info.max) / 2])
    wide = np.exp(np.linspace(*edges, 1 << 18)).astype(DTYPES[name])
    for x in (wide, grid(0.5, 2, DTYPES[name])):
        assert count_ulps(apply("log", x), x, np.log) < 2


@pytest.mark.parametrize("name", list(DTYPES))
@pytest.mark.parametrize("function", ["exp", "log"])
def test_what_is_special_is_what_it_is_in_the_c_library(name, function):
    info = np.finfo(DTYPES[name])
    tiny = [info.smallest_subnormal, info.tiny]
    special = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, -1.0, info.max, -info.max, *tiny]
    x = np.resize(np.array(special, DTYPES[name]), 16)

    with np.errstate(all="ignore"):
        expected = getattr(np, function)(x)

    np.testing.assert_allclose(apply(function, x), expected, rtol=4 * info.eps)
