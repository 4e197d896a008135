"""The geometry of unit vectors and of rotation matrices of size 2 and 3, batched.

A rotation is kept as its matrix, a point of the space of all matrices with the Frobenius
metric; the uniform (Haar) measure is the surface measure of that embedding.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def sphere_tangent(q: Float[Tensor, "*#b size"], v: Float[Tensor, "*#b size"]) -> Tensor:
    """Project vectors onto the tangent space of the sphere: `v - q (q . v)`."""
    return v - q * (q * v).sum(-1, keepdim=True)


def sphere_flow(
    q: Float[Tensor, "*#b size"], v: Float[Tensor, "*#b size"], time: Float[Tensor, "*#b 1"]
) -> tuple[Tensor, Tensor]:
    """Follow great circles for a time.

    Computes `q cos(s) + v t sinc(s)` with `s = t |v|`, and the velocity there.

    Source: Byrne and Girolami, Geodesic Monte Carlo on Embedded Manifolds (2013), section 5.
    """
    speed = v.norm(dim=-1, keepdim=True)
    angle = time * speed
    end = q * torch.cos(angle) + v * time * torch.sinc(angle / math.pi)
    velocity = v * torch.cos(angle) - q * speed * torch.sin(angle)
    end = normalize(end)
    # Round-off leaves the sphere and its tangent space by a few units in the last place at
    # each step; taken back here, it cannot add up over a run.
    return end, sphere_tangent(end, velocity)


def normalize(q: Float[Tensor, "*b size"]) -> Tensor:
    """Scale vectors to length one; the zero vector becomes the first axis."""
    length = q.norm(dim=-1, keepdim=True)
    axis = torch.zeros_like(q)
    axis[..., 0] = 1
    return torch.where(length == 0, axis, q / torch.where(length == 0, 1, length))


def rotation_tangent(q: Float[Tensor, "*#b n n"], v: Float[Tensor, "*#b n n"]) -> Tensor:
    """Project matrices onto the tangent space: `R skew(R^T V)`."""
    body = q.mT @ v
    return q @ (body - body.mT) / 2


def rotation_flow(
    q: Float[Tensor, "*#b n n"], v: Float[Tensor, "*#b n n"], time: Float[Tensor, "*#b 1 1"]
) -> tuple[Tensor, Tensor]:
    """Follow geodesics `R exp(t A)`, with `A = R^T V`, for a time.

    In sizes 2 and 3 a skew matrix obeys `A^3 = -w^2 A` with `w = |A| / sqrt(2)`, so
    `exp(t A) = I + t sinc(t w) A + t^2 sinc(t w / 2)^2 A^2 / 2` (Rodrigues).
    """
    body = q.mT @ v
    body = (body - body.mT) / 2
    angle = time * body.norm(dim=(-2, -1), keepdim=True) / math.sqrt(2)
    turn = time * body
    identity = torch.eye(q.shape[-1], dtype=q.dtype, device=q.device)
    first = torch.sinc(angle / math.pi) * turn
    second = torch.sinc(angle / (2 * math.pi)).square() / 2 * (turn @ turn)
    end = polish_rotation(q @ (identity + first + second))
    return end, end @ body


def polish_rotation(q: Float[Tensor, "*b n n"]) -> Tensor:
    """Take the round-off out of a matrix that is nearly a rotation, by one Newton step.

    Source: Higham, Functions of Matrices (2008), section 8.3, the Newton-Schulz iteration.
    """
    identity = torch.eye(q.shape[-1], dtype=q.dtype, device=q.device)
    return q @ (3 * identity - q.mT @ q) / 2


def nearest_rotation(a: Float[Tensor, "*b n n"]) -> Tensor:
    """Return the rotation nearest to a matrix in the Frobenius norm.

    Source: Kabsch (1976); Schoenemann (1966): `U diag(1, .., det(U V^T)) V^T`.
    """
    u, _, vh = torch.linalg.svd(a)
    sign = torch.linalg.det(u @ vh)
    last = torch.ones_like(a[..., 0])
    last[..., -1] = sign
    nearest: Tensor = (u * last[..., None, :]) @ vh
    return nearest


def orthonormalize(a: Float[Tensor, "*b n n"]) -> Tensor:
    """Return a rotation near a matrix by Gram-Schmidt on its columns.

    A retraction: it agrees with the exponential map to first order and costs a few products
    where the nearest rotation costs a singular value decomposition.
    """
    first = normalize(a[..., :, 0])
    if a.shape[-1] == 2:
        second = torch.stack([-first[..., 1], first[..., 0]], dim=-1)
        return torch.stack([first, second], dim=-1)
    second = normalize(sphere_tangent(first, a[..., :, 1]))
    third = torch.linalg.cross(first, second)
    return torch.stack([first, second, third], dim=-1)


def rotation_from_uniform(u: Float[Tensor, "*b size"], n: int) -> Float[Tensor, "*b n n"]:
    """Turn numbers uniform in (0, 1) into rotations uniform in the Haar measure.

    In space a unit quaternion uniform on the sphere is a uniform rotation.

    Source: Shoemake, Uniform Random Rotations, Graphics Gems III (1992).
    """
    if n == 2:
        angle = 2 * math.pi * u[..., 0]
        rows = [torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle)]
        return torch.stack(rows, dim=-1).reshape(*angle.shape, 2, 2)
    w, x, y, z = normalize(torch.special.ndtri(u[..., :4])).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    ]
    return torch.stack(rows, dim=-1).reshape(*w.shape, 3, 3)
