"""Sizes that only the data binds have to make sense once they are bound."""

import pytest

from ebmlang.source import EbmError
from tests.road import built

HEAD = "given y: real[N]\nvar x: real\n"


def _complaint(text: str, size: int) -> tuple[str, str]:
    with pytest.raises(EbmError) as caught:
        built(text, {"N": size})
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.primary is not None
    return diagnostic.code, diagnostic.primary.text


@pytest.mark.parametrize("call", ["zeros(N - 5)", "linspace(0, 1, N - 5)", "eye(N - 5)"])
def test_an_array_of_negative_size_is_an_error(call):
    text = f"{HEAD}minimize m: x * sum(y) + sum({call})"

    assert _complaint(text, 3) == ("E0311", "-2, since the data says that `N` is 3")
    built(text, {"N": 7})


def test_a_variable_of_negative_size_is_an_error():
    text = "given y: real[N]\nvar x: real[N - 5] in [0, 1]\nminimize m: sum(x) + sum(y)"

    assert _complaint(text, 4)[0] == "E0311"
    built(text, {"N": 6})


def test_an_array_reshaped_to_another_count_is_an_error():
    text = f"{HEAD}minimize m: x * sum(reshape(y, 3, 5))"

    assert _complaint(text, 14) == ("E0302", "14 elements cannot fill 15 places")
    built(text, {"N": 15})


@pytest.mark.parametrize(
    "text",
    [
        "minimize m: x * sum(y) + sum i in 1..N * N * N: i",
        "minimize m: x * sum(y) + sum i in 1..N * N * N * N * N * N * N: i",
        "minimize m: x * sum a, b in pairs(zeros(N * 100)): a * b",
        "minimize m: x * sum(y) + sum(eye(N * 20))",
    ],
)
def test_what_the_data_makes_too_large_is_an_error_before_there_is_an_array(text):
    assert _complaint(f"{HEAD}{text}", 1000)[0] == "E0316"
