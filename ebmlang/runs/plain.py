"""Results as plain data that JSON can hold."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def make_plain(value: object) -> Any:
    """Return a value with its arrays as lists, and numbers that JSON does not know as None.

    Any: whatever `json.dumps` takes.

    >>> make_plain({"x": np.array([1.0, np.nan])})
    {'x': [1.0, None]}
    """
    match value:
        case np.ndarray() | np.generic():
            return make_plain(value.tolist())
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): make_plain(item) for key, item in value.items()}
        case list() | tuple():
            return [make_plain(item) for item in value]
        case _:
            return value


def show_json(value: object) -> str:
    """Return a value as the text of one JSON object, without a line break at the end."""
    return json.dumps(make_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
