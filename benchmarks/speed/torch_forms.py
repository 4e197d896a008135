"""The targets in torch, written by hand: the energy, and energy with gradient in fused forms.

`energy` is what an expert writes to let autograd differentiate it; `gradient` is the best that was
found by hand: as few calls as torch has, products of matrices and softmax in place of sums.
All drop constants that no unknown is in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from benchmarks.speed.targets import (
    BANANA_BEND,
    BANANA_SCALE,
    FUNNEL_SCALE,
    PRODUCT_DF,
    PRODUCT_ROWS,
    PRODUCT_WALLS,
    Target,
)

Energy = Callable[[Tensor], Tensor]
Gradient = Callable[[Tensor], tuple[Tensor, Tensor]]
Numbers = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchForm:
    """An energy of points `[chain, dim]`, and energy with gradient, differentiated by hand."""

    energy: Energy
    gradient: Gradient


def build_ring(numbers: Numbers) -> TorchForm:
    corners, variance = numbers["corners"], numbers["sd"].square()

    def energy(x: Tensor) -> Tensor:
        squares = (x[:, None] - corners).square().sum(-1)
        return -torch.logsumexp(-squares / (2 * variance), 1)

    pull = (corners.T / variance).contiguous()
    push = (-corners / variance).contiguous()
    offset = -corners.square().sum(1) / (2 * variance)
    scale = float(1 / variance)

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.addmm(offset, x, pull)
        value = x.square().sum(1) * (scale / 2) - torch.logsumexp(logits, 1)
        return value, torch.addmm(x, torch.softmax(logits, 1), push, beta=scale)

    return TorchForm(energy=energy, gradient=gradient)


def build_product(numbers: Numbers) -> TorchForm:
    precision, readings, walls = (numbers[name] for name in ("precision", "readings", "walls"))
    tail = (PRODUCT_DF + 1) / 2

    def energy(x: Tensor) -> Tensor:
        smooth = (x * (x @ precision)).sum(1) / 2
        heavy = tail * torch.log1p((x @ readings.T).square() / PRODUCT_DF).sum(1)
        inside = (torch.relu((x @ walls.T - 1) / 0.5).square() / 2).sum(1)
        return smooth + heavy + inside

    forth = torch.cat((precision, readings.T, walls.T), 1).contiguous()
    back = torch.cat((readings, walls)).contiguous()
    sizes = (len(precision), PRODUCT_ROWS, PRODUCT_WALLS)

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        pulled, read, pushed = (x @ forth).split(sizes, 1)
        over = torch.relu(pushed - 1)
        stretched = read.square() + PRODUCT_DF
        value = (
            (x * pulled).sum(1) / 2
            + tail * torch.log(stretched / PRODUCT_DF).sum(1)
            + 2 * over.square().sum(1)
        )
        slopes = torch.cat((2 * tail * read / stretched, 4 * over), 1)
        return value, torch.addmm(pulled, slopes, back)

    return TorchForm(energy=energy, gradient=gradient)


def build_tree(numbers: Numbers) -> TorchForm:
    a, b, c = (numbers[name] for name in "abc")

    def either(first: Tensor, second: Tensor) -> Tensor:
        # -log(p + q - p q) for p = exp(-first), q = exp(-second), without leaving range.
        low, high = torch.minimum(first, second), torch.maximum(first, second)
        return low - torch.log1p(torch.exp(low - high) - torch.exp(-high))

    def energy(x: Tensor) -> Tensor:
        over = torch.relu((x @ a.T - 1) / 0.5)
        far = torch.relu((torch.linalg.vector_norm(x[:, None] - b, dim=2) - 2) / 0.5)
        near = torch.relu((1 - torch.linalg.vector_norm(x[:, None] - c, dim=2)) / 0.5)
        return either((over.square() + far.square()) / 2, near.square() / 2).sum(1)

    across = a.T.contiguous()
    forth = (-2 * torch.cat((b, c))).T.contiguous()
    squares = torch.cat((b, c)).square().sum(1)
    centers = -torch.cat((b, c))
    count = len(a)

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        over = torch.relu(x @ across - 1)
        # |x - b|^2 as a product of matrices: points here are of order one, so little cancels.
        own = x.square().sum(1, keepdim=True)
        norms = (torch.addmm(squares, x, forth) + own).clamp_min(1e-12).sqrt()
        far = torch.relu(norms[:, :count] - 2)
        near = torch.relu(1 - norms[:, count:])
        first = 2 * (over.square() + far.square())
        second = 2 * near.square()
        low = torch.minimum(first, second)
        p, q = torch.exp(low - first), torch.exp(low - second)
        floor = torch.exp(-low)
        whole = p + q - floor * p * q
        value = (low - torch.log(whole)).sum(1)
        at_first = 4 * p * (1 - floor * q) / whole
        at_second = -4 * q * (1 - floor * p) / whole
        pulls = torch.cat((at_first * far, at_second * near), 1) / norms
        slope = torch.addmm((at_first * over) @ a, pulls, centers)
        return value, torch.addcmul(slope, x, pulls.sum(1, keepdim=True))

    return TorchForm(energy=energy, gradient=gradient)


def build_gaussian(numbers: Numbers) -> TorchForm:
    precision = numbers["precision"]

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        slope = x @ precision
        return (x * slope).sum(1) / 2, slope

    return TorchForm(energy=lambda x: (x * (x @ precision)).sum(1) / 2, gradient=gradient)


def build_eight_schools(numbers: Numbers) -> TorchForm:
    y, sigma = numbers["y"], numbers["sigma"]

    def energy(x: Tensor) -> Tensor:
        mu, tau, raw = x[:, 0], x[:, 1], x[:, 2:]
        effects = (y - mu[:, None] - tau[:, None] * raw) / sigma
        priors = (mu / 5).square() / 2 + torch.log1p((tau / 5).square())
        return priors + (raw.square().sum(1) + effects.square().sum(1)) / 2

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        mu, tau, raw = x[:, :1], x[:, 1:2], x[:, 2:]
        effects = (y - torch.addcmul(mu, tau, raw)) / sigma
        push = -effects / sigma
        priors = mu.square() / 50 + torch.log1p(tau.square() / 25)
        value = priors[:, 0] + (raw.square() + effects.square()).sum(1) / 2
        at_mu = mu / 25 + push.sum(1, keepdim=True)
        at_tau = 2 * tau / (25 + tau.square()) + (push * raw).sum(1, keepdim=True)
        return value, torch.cat((at_mu, at_tau, torch.addcmul(raw, tau, push)), 1)

    return TorchForm(energy=energy, gradient=gradient)


def build_funnel(numbers: Numbers) -> TorchForm:
    del numbers

    def energy(x: Tensor) -> Tensor:
        width, rest = x[:, 0], x[:, 1:]
        spread = (rest.square() * torch.exp(-width)[:, None]).sum(1) / 2
        return (width / FUNNEL_SCALE).square() / 2 + spread + width * (rest.shape[1] / 2)

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        width, rest = x[:, :1], x[:, 1:]
        half = rest.shape[1] / 2
        pulled = rest * torch.exp(-width)
        spread = (rest * pulled).sum(1, keepdim=True) / 2
        at_width = width / FUNNEL_SCALE**2 + half - spread
        value = width.square() / (2 * FUNNEL_SCALE**2) + half * width + spread
        return value[:, 0], torch.cat((at_width, pulled), 1)

    return TorchForm(energy=energy, gradient=gradient)


def build_banana(numbers: Numbers) -> TorchForm:
    del numbers

    def parts(x: Tensor) -> tuple[Tensor, Tensor]:
        ridge = x[:, 1] - BANANA_BEND * (x[:, 0].square() - BANANA_SCALE**2)
        return ridge, (x[:, 0] / BANANA_SCALE).square() / 2 + ridge.square() / 2

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        ridge, value = parts(x)
        along = x[:, 0] * (1 / BANANA_SCALE**2 - 2 * BANANA_BEND * ridge)
        return value, torch.stack((along, ridge), 1)

    return TorchForm(energy=lambda x: parts(x)[1], gradient=gradient)


FORMS: Mapping[str, Callable[[Numbers], TorchForm]] = MappingProxyType(
    {
        "ring": build_ring,
        "product": build_product,
        "tree": build_tree,
        "gaussian": build_gaussian,
        "eight_schools": build_eight_schools,
        "funnel": build_funnel,
        "banana": build_banana,
    }
)


def build_form(
    target: Target, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> TorchForm:
    """Return the hand-written forms of a target."""
    numbers = {
        name: torch.tensor(array, dtype=dtype, device=device)
        for name, array in target.numbers.items()
    }
    return FORMS[target.form](numbers)


# --- ways to the gradient ------------------------------------------------------------


def by_autograd(form: TorchForm) -> Gradient:
    """Return energy and gradient by eager autograd: what a user writes."""

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        leaf = x.detach().requires_grad_()
        value = form.energy(leaf)
        (slope,) = torch.autograd.grad(value.sum(), leaf)
        return value.detach(), slope

    return gradient


def by_functions(form: TorchForm) -> Gradient:
    """Return energy and gradient by vmap over grad."""

    def single(x: Tensor) -> tuple[Tensor, Tensor]:
        value = form.energy(x[None])[0]
        return value, value

    each = torch.func.vmap(torch.func.grad(single, has_aux=True))

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        slope, value = each(x)
        return value, slope

    return gradient


def by_hand(form: TorchForm) -> Gradient:
    """Return energy and gradient as differentiated by hand."""
    return form.gradient


def compiled(way: Callable[[TorchForm], Gradient]) -> Callable[[TorchForm], Gradient]:
    """Return a way whose function goes through torch.compile."""
    # Shapes are fixed: a graph of unknown sizes would be slower.
    return lambda form: torch.compile(way(form), dynamic=False, fullgraph=True)


def by_functional_grad(form: TorchForm) -> Gradient:
    """Return energy and gradient by grad of the sum: the form of it that compiles whole."""

    def total(x: Tensor) -> tuple[Tensor, Tensor]:
        value = form.energy(x)
        return value.sum(), value

    differentiated = torch.func.grad(total, has_aux=True)

    def gradient(x: Tensor) -> tuple[Tensor, Tensor]:
        slope, value = differentiated(x)
        return value, slope

    return gradient


WAYS: Mapping[str, Callable[[TorchForm], Gradient]] = MappingProxyType(
    {
        "torch autograd": by_autograd,
        "torch vmap": by_functions,
        "torch by hand": by_hand,
        "torch compile": compiled(by_functional_grad),
        "torch compile by hand": compiled(by_hand),
    }
)


# --- steps ---------------------------------------------------------------------------


def langevin_step(gradient: Gradient, size: float) -> Callable[[Tensor], Tensor]:
    """Return one unadjusted Langevin step."""
    spread = size
    drift = -size * size / 2

    def step(x: Tensor) -> Tensor:
        _, slope = gradient(x)
        return torch.add(x, slope, alpha=drift) + spread * torch.randn_like(x)

    return step


LEAPFROGS = 8


def hmc_step(gradient: Gradient, size: float) -> Callable[[Tensor], Tensor]:
    """Return one HMC trajectory of `LEAPFROGS` steps with its accept test."""

    def step(x: Tensor) -> Tensor:
        momentum = torch.randn_like(x)
        begun, slope = gradient(x)
        before = begun + momentum.square().sum(1) / 2
        position = x
        momentum = momentum - size / 2 * slope
        for place in range(LEAPFROGS):
            position = position + size * momentum
            value, slope = gradient(position)
            momentum = momentum - (size if place < LEAPFROGS - 1 else size / 2) * slope
        after = value + momentum.square().sum(1) / 2
        accepted = torch.log(torch.rand_like(after)) < before - after
        return torch.where(accepted[:, None], position, x)

    return step
