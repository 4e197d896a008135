"""Room for numbers, small and large."""

import pytest
import torch

from ebmlang.runtime import make_room
from ebmlang.runtime.memory import LARGE

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool])
@pytest.mark.parametrize("rows", [0, 1, LARGE // 8 + 1])
def test_room_is_a_tensor_of_its_own_like_any_other(rows: int, dtype: torch.dtype) -> None:
    room, other = make_room((rows, 3), dtype, CPU), make_room((rows, 3), dtype, CPU)

    room.fill_(1)
    other.zero_()

    assert (room.shape, room.dtype, room.device) == ((rows, 3), dtype, CPU)
    assert room.is_contiguous()
    assert bool((room == 1).all())
    assert room.data_ptr() % dtype.itemsize == 0
