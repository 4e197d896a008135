"""Which device a run uses."""

import torch

from ebmlang.source import Diagnostic, EbmError

DEVICES = ("auto", "cpu", "cuda")
"""The names that a user may write."""


def pick_device(name: str) -> torch.device:
    """Choose the device of a run.

    Args:
        name: `cpu`, `cuda`, or `auto`, which takes CUDA where there is one.

    Raises:
        EbmError: E0906 where the name is none of these, or the machine has no such device.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    if name not in DEVICES:
        raise EbmError(
            Diagnostic(
                code="E0906",
                headline=f"there is no device named `{name}`",
                helps=("use `--device auto`, `--device cpu` or `--device cuda`",),
            )
        )
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise EbmError(
            Diagnostic(
                code="E0906",
                headline="there is no CUDA device that torch can use on this machine",
                notes=(f"torch {torch.__version__} is installed",),
                helps=("use `--device cpu`, or `--device auto`",),
            )
        )
    return torch.device(name)
