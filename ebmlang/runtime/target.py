"""What a solver or a sampler sees of a model: an energy over packed points.

A *packed* point is one row of a `[chain, dim]` tensor: the written coordinates of all
variables, each flattened in C order, one after the other. Solvers and samplers know nothing
else of the language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias, TypeGuard, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class Target(Protocol):
    """An energy bound to its data, on one device, in one dtype."""

    @property
    def dim(self) -> int:
        """The length of a packed point."""

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of points and values."""

    @property
    def device(self) -> torch.device:
        """Where points and values live."""

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; differentiable, `require`s not in it."""

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances; it holds where all are >= 0.

        Differentiable almost everywhere; of width 0 where nothing is required.
        """


ValueAndGradient: TypeAlias = tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]


@runtime_checkable
class Differentiated(Protocol):
    """A target that has its gradient without autograd. Nothing it returns is differentiable."""

    def energy_and_gradient(self, x: Float[Tensor, "chain dim"]) -> ValueAndGradient:
        """Return the energy and its gradient."""

    def lagrangian_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return the augmented Lagrangian and its gradient; None where that takes autograd.

        Args:
            x: Packed points.
            terms: Of each requirement scale, slack, multiplier and penalty.
        """

    def violation_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return half the squared violation and its gradient; None where that takes autograd.

        Args:
            x: Packed points.
            terms: Of each requirement scale and aim.
        """


@runtime_checkable
class LeastSquares(Target, Protocol):
    """A target whose energy is a constant plus a sum of squares."""

    def residuals(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain residual"]:
        """Return what is squared, weights folded in [square roots of nats].

        Has a forward derivative, as `torch.autograd.forward_ad` takes it.
        """


@runtime_checkable
class RowTarget(Target, Protocol):
    """An energy whose points each have data of their own: it belongs to one batch of points."""

    @property
    def data(self) -> Mapping[str, Tensor]:
        """The data of each point by path, each `[chain, ...]`."""

    def take(self, index: Int[Tensor, " kept"]) -> "RowTarget":
        """Return the energy of some of the points, each as often as it is named."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergyText:
    """An energy as C functions over a block of chains, for loops that are compiled with it.

    Attributes:
        text: Defines what is named here, in the words of `lower/native/prelude.h`; for each
            function `f` also `f_SCRATCH`, how many numbers it needs room for.
        energy: The function of a packed point whose outputs are the energy and its gradient.
        margins: The function of a packed point whose output are the margins of what is required;
            empty where nothing is.
        required: How many margins there are.
        energy_arrays: What `energy` reads besides the point.
        margin_arrays: What `margins` reads besides the point.
        work: Numbers that `energy` computes for one point.
        blocks: For how many blocks of chains `energy` is: of more than one it takes an array of
            points, and the outputs of a block stand behind those of the block before.
    """

    text: str
    energy: str
    margins: str = ""
    required: int = 0
    energy_arrays: tuple[Tensor, ...] = ()
    margin_arrays: tuple[Tensor, ...] = ()
    work: int = 1
    blocks: int = 1


@runtime_checkable
class TextTarget(Target, Protocol):
    """A target that can be had as C text."""

    def write_text(self, blocks: int = 1) -> EnergyText | None:
        """Return the text; None where something in the energy has no such form.

        Args:
            blocks: For how many blocks of chains `energy` is.
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DerivedTarget:
    """What is made of a target: of points as long, in its dtype, on its device.

    Attributes:
        target: What it is made of.
    """

    target: Target

    @property
    def dim(self) -> int:
        """The length of a packed point."""
        return self.target.dim

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of points and values."""
        return self.target.dtype

    @property
    def device(self) -> torch.device:
        """Where points and values live."""
        return self.target.device


def take_points(target: Target, index: Int[Tensor, " kept"]) -> Target:
    """Return the energy of some points of a batch: the same, unless each has its own data."""
    return target.take(index) if is_by_row(target) else target


def is_by_row(target: Target) -> TypeGuard[RowTarget]:
    """Whether the points of a target each have data of their own.

    No other target can take some of its points. Checking a protocol takes longer than a short step.
    """
    return hasattr(type(target), "take")


def evaluate_gradient(target: Target, x: Float[Tensor, "chain dim"]) -> ValueAndGradient:
    """Return the energy and its gradient: the target's own, or by autograd."""
    if is_differentiated(target):
        return target.energy_and_gradient(x)
    return differentiate_value(target.energy, x)


def is_differentiated(target: Target) -> TypeGuard[Differentiated]:
    """Whether a target has its gradient without autograd."""
    return _has_gradient(type(target))


@lru_cache(maxsize=128)
def _has_gradient(kind: type) -> bool:
    """Whether targets of a class have gradients: to look at a protocol takes longer than a step."""
    return issubclass(kind, Differentiated)


def make_leaf(x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
    """Return points by which something can be differentiated, also those of an inference mode."""
    return (x.clone() if x.is_inference() else x.detach()).requires_grad_()


def differentiate_value(
    value_at: Callable[[Float[Tensor, "chain dim"]], Float[Tensor, " chain"]],
    x: Float[Tensor, "chain dim"],
) -> ValueAndGradient:
    """Return a value per chain and its gradient by autograd; zeros where nothing depends on x."""
    # Loops that differentiate nothing themselves run in inference mode.
    with torch.inference_mode(False), torch.enable_grad():
        leaf = make_leaf(x)
        value = value_at(leaf)
        gradient = None
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value.sum(), leaf, allow_unused=True)
    return value.detach(), torch.zeros_like(x) if gradient is None else gradient
