"""What a sampler is: a kernel with what its warm-up adapts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.sample.density import Density, TargetDensity
from ebmlang.sample.state import ChainState, Info, Stride
from ebmlang.sample.streams import Noise, Streams

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What every step of a run sees."""

    density: Density
    streams: Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Where in its warm-up a run is.

    Attributes:
        iteration: From 1 to `warmup`.
        warmup: Iterations of the whole warm-up.
    """

    iteration: int
    warmup: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place(Generic[S]):
    """Where a run is.

    Attributes:
        iteration: Iterations done, those of the warm-up included.
        state: The sampler's; frozen once the warm-up is over and a draw was taken.
        warmup_gradients: Evaluations of each chain in the warm-up so far.
    """

    iteration: int
    state: S
    warmup_gradients: Int[Tensor, " chain"]


@runtime_checkable
class Kernel(Protocol):
    """A step that leaves exp(-U) as it is; its parameters are its fields."""

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Move every chain once."""


@runtime_checkable
class Striding(Kernel, Protocol):
    """A kernel in which chains hardly ever stay where they are."""

    def stride(
        self, density: TargetDensity, state: ChainState, noises: Sequence[Noise]
    ) -> Stride | None:
        """Move every chain once for each of these random numbers, where nothing is required.

        Returns:
            What as many steps do; None where some chain would have stayed somewhere.
        """


@runtime_checkable
class Sampler(Protocol[S]):
    """A kernel with its adaptation.

    The state is a tree of frozen dataclasses and tuples of tensors and plain numbers, so that it
    can be written down. After `freeze` nothing that decides on moves changes any more.
    """

    @property
    def name(self) -> str:
        """What a user calls it."""

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> S:
        """Begin at the positions, with the random numbers of iteration 0."""

    def adapt(self, setting: Setting, state: S, noise: Noise, at: Phase) -> tuple[S, Info]:
        """Move every chain once, and learn from it."""

    def freeze(self, state: S) -> S:
        """Return the state with what was learnt settled, at the end of the warm-up."""

    def step(self, setting: Setting, state: S, noise: Noise) -> tuple[S, Info]:
        """Move every chain once, by what was learnt."""

    def chains(self, state: S) -> ChainState:
        """Return where the chains are."""

    def describe(self, state: S) -> dict[str, object]:
        """Return what the warm-up chose, in numbers and words for people."""


@runtime_checkable
class Steady(Sampler[S], Protocol[S]):
    """A sampler that moves all chains by one kernel, the same in all iterations once it is frozen.

    Its `step` is a step of that kernel.
    """

    def kernel(self, state: S) -> Kernel:
        """Return what moves the chains, by what was learnt."""

    def move_to(self, state: S, chains: ChainState) -> S:
        """Return the state with the chains somewhere else."""


@runtime_checkable
class Turning(Protocol):
    """A sampler that knows whether its trajectories find their length."""

    @property
    def turns(self) -> bool:
        """Whether they do: machine code for these is what it needs first."""
