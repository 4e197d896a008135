"""Where a run is, as arrays by name, and back: what a run needs to go on after its process.

A state is a tree of frozen dataclasses, tuples and mappings; its leaves are tensors, numbers,
truth values, texts and None. Its tensors become arrays by their path in the tree; what else there
is becomes one text, in JSON, that says how the tree was made:

    flatten(Place(iteration=50, state=...))
    {"state.chains.position": array, ..., "structure": array of the bytes of the text}

Nothing in it is code: classes are named, and only frozen dataclasses of this package are made.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from ebmlang.source import InternalError

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""Arrays by name. Any: of any dtype."""

STRUCTURE = "structure"
"""The name of the array that says how the tree is made."""

PACKAGE = "ebmlang."
"""Where the classes of a state must come from."""


def flatten(tree: object) -> dict[str, NDArray[Any]]:
    """Return a tree as arrays by name, every bit kept. Any: of any dtype.

    Args:
        tree: Of frozen dataclasses of this package, tuples and mappings.

    >>> sorted(flatten({"position": torch.zeros(2), "count": 3}))
    ['position', 'structure']
    """
    arrays: dict[str, NDArray[Any]] = {}
    plan = json.dumps(_take_apart(tree, "", arrays))
    arrays[STRUCTURE] = np.frombuffer(plan.encode(), dtype=np.uint8)
    return arrays


def restore(arrays: Arrays, device: torch.device) -> Any:
    """Return the tree that was flattened. Any: the caller knows what it was.

    Args:
        arrays: What `flatten` returned.
        device: Where the tensors go that were not on the CPU.

    >>> restore(flatten({"count": 3, "last": None}), torch.device("cpu"))
    mappingproxy({'count': 3, 'last': None})
    """
    return _put_together(json.loads(arrays[STRUCTURE].tobytes()), arrays, device)


def _take_apart(value: object, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return how a value is made, for JSON (hence Any); its tensors are added to the arrays."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # The text of a float in base 16 is exact, and knows infinity.
            return {"float": value.hex()}
        case torch.Tensor():
            name = path or "value"
            assert name not in arrays, f"two tensors are called {name}"
            assert name != STRUCTURE, "a tensor must not be called as the text is"
            # A copy, for the tensor may be changed, or be a view of something large.
            arrays[name] = np.array(value.detach().cpu().numpy())
            return {"tensor": name, "device": value.device.type}
        case tuple():
            return {"tuple": [_take_apart(v, _join(path, i), arrays) for i, v in enumerate(value)]}
        case Mapping():
            assert all(isinstance(key, str) for key in value), "a state's names are texts"
            return {
                "mapping": {k: _take_apart(v, _join(path, k), arrays) for k, v in value.items()}
            }
        case _ if is_dataclass(value) and not isinstance(value, type):
            cls = type(value)
            assert cls.__module__.startswith(PACKAGE), f"{cls} is not of this package"
            parts = {
                field.name: _take_apart(getattr(value, field.name), _join(path, field.name), arrays)
                for field in fields(value)
            }
            return {"class": f"{cls.__module__}:{cls.__qualname__}", "fields": parts}
        case _:
            raise InternalError(f"a state holds a {type(value).__name__} at `{path}`")


def _put_together(plan: Any, arrays: Arrays, device: torch.device) -> Any:
    """Return the value that was taken apart. Any: whatever it was."""
    match plan:
        case None | bool() | int() | str():
            return plan
        case {"float": text}:
            return float.fromhex(text)
        case {"tensor": name, "device": kind}:
            # A copy, for an array that is mapped to a file cannot be written to.
            tensor = torch.from_numpy(np.array(arrays[name]))
            return tensor if kind == "cpu" else tensor.to(device)
        case {"tuple": items}:
            return tuple(_put_together(item, arrays, device) for item in items)
        case {"mapping": items}:
            return MappingProxyType(
                {key: _put_together(item, arrays, device) for key, item in items.items()}
            )
        case {"class": name, "fields": parts}:
            cls = _find_class(name)
            return cls(**{key: _put_together(v, arrays, device) for key, v in parts.items()})
        case _:
            raise InternalError("a state was written in a form that is not known")


def _find_class(name: str) -> type[Any]:
    """Return a frozen dataclass of this package; nothing else, whatever the text asks for."""
    module, _, qualified = name.partition(":")
    if not module.startswith(PACKAGE):
        raise InternalError(f"a state names the class `{name}`, which is not of this package")
    cls = vars(import_module(module)).get(qualified)
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise InternalError(f"a state names the class `{name}`, which there is not")
    return cls


def _join(path: str, part: object) -> str:
    return f"{path}.{part}" if path else str(part)
