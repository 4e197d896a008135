"""Swaps between temperatures, and the ladder on which they are equally likely.

Replicas lie rung by rung: row `rung * chains + chain`, from the reference up to the target. In
turns all even and all odd pairs of neighbors try to swap; so a replica that goes on being accepted
climbs all the way, where random pairs would make it diffuse.

Source: Syed, Bouchard-Cote, Deligiannidis and Doucet, Non-reversible parallel tempering (2022),
sections 2.3 and 5.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def swap(
    inverse_temperature: Float[Tensor, " rung"],
    rise: Float[Tensor, "rung chain"],
    uniform: Float[Tensor, "pair chain"],
    parity: int,
) -> tuple[Int[Tensor, "rung chain"], Float[Tensor, "pair chain"]]:
    """Swap the pairs of one parity with the probability of Metropolis.

    Args:
        inverse_temperature: Of each rung.
        rise: By how much the target's potential lies above the reference's, where each replica is;
            in float64 [nats].
        uniform: Random numbers, one for each pair of neighbors.
        parity: 0 or 1: of the lower rung of the pairs whose turn it is.

    Returns:
        The rung from which each rung takes its replica, and the probability of each swap, also
        of those whose turn it is not.
    """
    steps = inverse_temperature.double().diff()[:, None]
    probability = (steps * rise.diff(dim=0)).clamp(max=0).exp()
    pairs = torch.arange(len(steps), device=rise.device)[:, None]
    swapped = (uniform < probability) & (pairs % 2 == parity)
    source = torch.arange(len(rise), device=rise.device)[:, None].expand(rise.shape).clone()
    source[:-1] += swapped.long()
    source[1:] -= swapped.long()
    return source, probability


def find_barrier(rejection: Float[Tensor, " pair"]) -> Float[Tensor, " rung"]:
    """Return the communication barrier from the reference up to each rung.

    It hardly depends on the ladder. At best a replica makes one round trip in `2 + 2 barrier`
    swaps.

    Source: Syed and others (2022), section 4 and corollary 2.
    """
    return torch.cat([rejection.new_zeros(1), rejection.cumsum(0)])


def spread_ladder(
    inverse_temperature: Float[Tensor, " rung"], rejection: Float[Tensor, " pair"]
) -> Float[Tensor, " rung"]:
    """Return the ladder whose neighbors are equally far apart in the barrier that was seen.

    The barrier is taken as linear between rungs. A small share of each pair's rejection is added
    everywhere, so that no two rungs fall together where none was rejected.

    Source: Syed and others (2022), algorithm 2.
    """
    least = LEAST_SHARE * rejection.mean().clamp(min=torch.finfo(torch.float64).eps)
    barrier = find_barrier(rejection.double() + least)
    wanted = torch.linspace(0, 1, len(barrier), dtype=torch.float64, device=barrier.device)
    wanted = wanted * barrier[-1]
    above = torch.searchsorted(barrier, wanted).clamp(1, len(barrier) - 1)
    low, high = barrier[above - 1], barrier[above]
    share = (wanted - low) / (high - low)
    old = inverse_temperature.double()
    ladder = old[above - 1] + share * (old[above] - old[above - 1])
    ladder[0], ladder[-1] = 0.0, 1.0
    return ladder.to(inverse_temperature.dtype)


LEAST_SHARE = 0.05
"""Of the mean rejection, that each pair counts as more than it was seen to reject."""


def count_trips(
    heading: Int[Tensor, "rung chain"],
) -> tuple[Int[Tensor, "rung chain"], Int[Tensor, " chain"]]:
    """Note which replicas are at an end, and which of them have come full circle.

    Args:
        heading: Of each replica: 1 since it was at the reference, -1 since it came from there to
            the target, 0 before.

    Returns:
        The headings, and how many replicas came back to the reference from the target.
    """
    following = heading.clone()
    returned = (heading[0] == -1).long()
    following[0] = 1
    following[-1] = torch.where(heading[-1] == 1, -1, heading[-1])
    return following, returned
