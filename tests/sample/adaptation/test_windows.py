import pytest

from ebmlang.sample.adaptation.windows import plan_windows


def test_windows_double_and_end_where_the_warm_up_ends_its_last_part() -> None:
    windows = plan_windows(1000)

    assert [(w.start, w.stop) for w in windows] == [
        (150, 175),
        (175, 225),
        (225, 325),
        (325, 900),
    ]


@pytest.mark.parametrize("warmup", [0, 1, 10, 30])
def test_a_short_warm_up_has_no_window_or_one(warmup: int) -> None:
    assert len(plan_windows(warmup)) <= 1
