"""Work that torch does, counted as it is dispatched: operations, elements, bytes; never time."""

import math
from collections import Counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

FUNCTIONS = {
    "exp": 1,
    "log": 1,
    "log1p": 1,
    "expm1": 1,
    "sin": 1,
    "cos": 1,
    "tanh": 1,
    "logsumexp": 1,
    "_softmax": 1,
}
"""Operations that evaluate an exponential, a logarithm or a sine for each element."""

PRODUCTS = {
    "mm": lambda a, b: 2 * a.shape[0] * a.shape[1] * b.shape[1],
    "bmm": lambda a, b: 2 * math.prod(a.shape) * b.shape[2],
    "mv": lambda a, b: 2 * math.prod(a.shape),
    "dot": lambda a, b: 2 * len(a),
    "addmm": lambda _, a, b: 2 * a.shape[0] * a.shape[1] * b.shape[1],
}
"""Floating point operations of products, from their operands."""

ELEMENTWISE = {"add", "sub", "mul", "div", "neg", "relu", "square", "abs"}
VIEWS = {
    "view", "_unsafe_view", "expand", "slice", "select", "unsqueeze", "squeeze", "permute",
    "t", "transpose", "detach", "alias", "as_strided", "split_with_sizes", "unbind", "split",
}  # fmt: skip


class Counting(TorchDispatchMode):
    """Counts what is dispatched while it is entered.

    Attributes:
        operations: How often each operation ran, views left out.
        elements: Elements that came out of each.
        flops: Of products of vectors and matrices.
        functions: Elements for which a function was evaluated.
        allocated: Bytes of new tensors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()
        self.elements: Counter[str] = Counter()
        self.flops = 0
        self.functions = 0
        self.allocated = 0

    # Any: as torch declares it.
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.__name__.split(".")[0]
        if name in VIEWS:
            return result
        tensors = [t for t in _flatten(result) if isinstance(t, torch.Tensor)]
        out = sum(t.numel() for t in tensors)
        self.operations[name] += 1
        self.elements[name] += out
        self.allocated += sum(t.numel() * t.element_size() for t in tensors)
        if name in PRODUCTS:
            self.flops += PRODUCTS[name](*args)
        if name in FUNCTIONS:
            self.functions += FUNCTIONS[name] * args[0].numel()
        return result

    @property
    def count(self) -> int:
        """All operations, views left out."""
        return sum(self.operations.values())

    @property
    def arithmetic(self) -> int:
        """Elements that elementwise arithmetic has made."""
        return sum(self.elements[name] for name in ELEMENTWISE)


def _flatten(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]
