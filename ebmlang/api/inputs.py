"""What a model takes: functions from Python, data, and points."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from torch import Tensor

Extern: TypeAlias = Callable[..., Any]
"""A function from Python, batched: tensors to a tensor. Any: torch is not imported here."""

Source: TypeAlias = Mapping[str, ArrayLike] | str | os.PathLike[str]
"""Data: arrays by name, or a file that holds them."""

Data: TypeAlias = Source | Iterable[Source] | None
"""Data from one place, from several (a later one wins), or none."""

Point: TypeAlias = "Mapping[str, ArrayLike | Tensor]"
"""A value for every variable, by path: of its own shape, or a batch with one axis more in front."""
