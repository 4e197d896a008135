"""What a model says of given points."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ebmlang.api.compile import compile_model
from ebmlang.api.data_files import make_array
from ebmlang.api.inputs import Point
from ebmlang.api.model import Model
from ebmlang.graph import RootKind
from ebmlang.lower.module import CompiledEnergy, TermValues
from ebmlang.runs import Design
from ebmlang.source import Diagnostic, EbmError


def compute_energy(model: Model, point: Point) -> Tensor:
    """Return E of a point, as a scalar, or of a batch, one value for each."""
    module = compile_model(model)
    batch, single = make_batch(module, point)
    energy = module(batch)
    assert isinstance(energy, Tensor)
    return energy[0] if single else energy


def compute_terms(model: Model, point: Point) -> TermValues:
    """Return what the terms say of a point, as scalars, or of a batch."""
    module = compile_model(model)
    batch, single = make_batch(module, point)
    values = module.terms(batch)
    if not single:
        return values
    return replace(
        values,
        energies={path: value[0] for path, value in values.energies.items()},
        margins={path: value[0] for path, value in values.margins.items()},
        satisfied={path: value[0] for path, value in values.satisfied.items()},
    )


def explain_point(model: Model, point: Point) -> Design:
    """Return one point with all that the terms and reports say of it.

    Raises:
        EbmError: E0710 where it is no single point of the model.
    """
    module = compile_model(model)
    tensors = {path: _as_tensor(path, value) for path, value in point.items()}
    _require_shapes(module, tensors)
    batch = {path: value.unsqueeze(0) for path, value in tensors.items()}
    (design,) = describe_points(module, module.pack(batch))
    return design


def make_batch(module: CompiledEnergy, point: Point) -> tuple[dict[str, Tensor], bool]:
    """Return a point as a batch, and whether it was a single one.

    A point without variables is single. Shapes that fit neither way are left for the module
    to report.
    """
    tensors = {path: _as_tensor(path, value) for path, value in point.items()}
    shapes = {variable.path: variable.shape for variable in module.graph.variables}
    single = all(tuple(value.shape) == shapes.get(path) for path, value in tensors.items())
    if single:
        return {path: value.unsqueeze(0) for path, value in tensors.items()}, True
    return tensors, False


def describe_points(
    module: CompiledEnergy, x: Tensor, energies: Tensor | None = None
) -> list[Design]:
    """Return each packed point with all that the terms and reports say of it.

    The energy is that of the soft terms alone where it is handed over, else E with its
    requirements: `inf` where one does not hold.
    """
    with torch.no_grad():
        points = module.unpack(x)
        values = module.terms(points)
        reports = module.reports(points)
        total = module(points) if energies is None else energies

    def row(values: Mapping[str, Tensor], number: int) -> dict[str, np.ndarray]:
        return {path: _as_array(value[number]) for path, value in values.items()}

    hard = list(dict.fromkeys(root.path for root, _ in module.graph.roots_of(RootKind.HARD)))
    return [
        Design(
            energy=float(total[number]),
            terms={path: float(v[number]) for path, v in values.energies.items()},
            margins={path: float(v[number]) for path, v in values.margins.items()},
            satisfied={path: bool(v[number]) for path, v in values.satisfied.items()},
            variables=row(points, number),
            reports=row(reports, number),
            violated=tuple(path for path in hard if not bool(values.satisfied[path][number])),
        )
        for number in range(len(x))
    ]


def _require_shapes(module: CompiledEnergy, point: Mapping[str, Tensor]) -> None:
    problems = [
        Diagnostic(
            code="E0710",
            headline=f"`{variable.path}` of the point is {_shape(tuple(found.shape))}, and should "
            f"be {_shape(variable.shape)}",
        )
        for variable in module.graph.variables
        if (found := point.get(variable.path)) is not None and tuple(found.shape) != variable.shape
    ]
    if problems:
        raise EbmError(*problems)


def _shape(shape: tuple[int, ...]) -> str:
    return f"of shape {list(shape)}" if shape else "a single number"


def _as_tensor(path: str, value: object) -> Tensor:
    if isinstance(value, Tensor):
        return value
    array = make_array(value, path, "the point")
    return torch.tensor(array if array.dtype.kind == "f" else array.astype(np.float64))


def _as_array(value: Tensor) -> np.ndarray:
    value = value.detach().cpu()
    # NumPy has no bfloat16.
    return value.float().numpy() if value.dtype is torch.bfloat16 else value.numpy()
