"""`explain` on a spec: what is proved of it before anything runs, as plain data."""

from typing import Any

from ebmlang.api.interface import describe_interface
from ebmlang.api.model import Model
from ebmlang.source import EbmError


def describe_facts(model: Model) -> dict[str, Any]:
    """Return the facts of the terms, the verdict on propriety and the plan, for JSON.

    Where data that is missing decides the size of an array, there is no graph to prove anything
    of: then `status` is `needs data`, `missing` says what is missing, and `interface` what is
    known all the same.

    Args:
        model: The model, with the data that there is.

    Returns:
        Plain data; so Any.

    Raises:
        EbmError: E0702-E0705 for the data, E0901 or E0903 for weights.
    """
    described: dict[str, Any] = {"name": model.name}
    facts = model.analyze()
    if facts is None:
        return {
            **described,
            "status": "needs data",
            "missing": _find_missing(model),
            "interface": describe_interface(model.program),
        }
    from ebmlang.analysis import describe

    return {**described, "status": "analyzed", **describe.describe_facts(facts)}


def _find_missing(model: Model) -> list[str]:
    """Return what there is no data for, in words."""
    from ebmlang.api.sizes import bind_sizes

    try:
        bind_sizes(model.program, model.data)
    except EbmError as error:
        return [diagnostic.headline for diagnostic in error.diagnostics]
    return []
