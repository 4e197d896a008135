"""Estimates of integrals, as they are written and read."""

import json
import math

import pytest

from ebmlang.runs.integral import Integral, show_integral

FINE = Integral(log_value=-3.25, error=0.125, khat=-math.inf, reverse_gap=0.01)
DOUBTFUL = Integral(log_value=1.0, error=math.nan, khat=0.9, reverse_gap=2.0, reasons=("few",))


@pytest.mark.parametrize("integral", [FINE, DOUBTFUL])
def test_an_estimate_is_read_as_it_was_written(integral):
    text = json.dumps(integral.to_json(), allow_nan=False)

    found = Integral.from_json(json.loads(text))

    assert found.reliable is integral.reliable
    assert repr(found) == repr(integral)


@pytest.mark.parametrize("text", ["{}", '{"log_value": "much"}', "[]", '{"reasons": 3}'])
def test_what_was_not_written_by_it_is_refused(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Integral.from_json(json.loads(text))


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (1.23456, 0.012, "1.235 ± 0.012"),
        (-104.5, 3.2, "-104.5 ± 3.2"),
        (2.0, 0.0, "2 ± 0"),
        (math.inf, math.nan, "inf ± nan"),
    ],
)
def test_the_error_decides_on_the_digits_shown(value, error, shown):
    integral = Integral(log_value=value, error=error, khat=0.0, reverse_gap=0.0)

    assert show_integral(integral) == shown
