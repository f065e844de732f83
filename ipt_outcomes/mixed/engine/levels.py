"""Levels above the units eliminated, and what their elimination leaves to those below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.engine.plan import Crossed, Nested


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of products with the random columns D of the levels, V^-1 of what is below in between.

    Parameters
    ----------
    dd : numpy.ndarray, shape (m, d, d)
        Of each combination of levels, or pair of them.
    dx : numpy.ndarray, shape (v, d, p)
    dy : numpy.ndarray, shape (v, d)
    """

    dd: np.ndarray
    dx: np.ndarray
    dy: np.ndarray


@dataclass(slots=True)
class Totals:
    """X'V^-1 X, X'V^-1 y, y'V^-1 y and log|V|, with one factor after another in V."""

    a: np.ndarray
    b: np.ndarray
    yy: float
    log_determinant: float

    def take(self, w: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> None:
        """Take off what effects explain: d' w d of each level; w (l, q, q), dx (l, q, p), dy (l, q)."""
        size, p = dx.shape[0] * dx.shape[1], dx.shape[2]
        wx = (w @ dx).reshape(size, p)
        self.a -= wx.T @ dx.reshape(size, p)
        self.b -= wx.T @ dy.ravel()
        self.yy -= float(np.einsum("la,lab,lb->", dy, w, dy))


@dataclass(frozen=True, slots=True)
class NestedPass:
    """What a nested factor was like when it was eliminated.

    Parameters
    ----------
    w : numpy.ndarray, shape (v, q, q)
        ``(G^-1 + D'V^-1 D)^-1`` of each level; 0 where there is none.
    before, after : Sums
    """

    w: np.ndarray
    before: Sums
    after: Sums


@dataclass(frozen=True, slots=True)
class CrossedPass:
    """What crossed factors were like: of each batch of components, w, and sums with all level effects."""

    w: tuple[np.ndarray, ...]
    dd: tuple[np.ndarray, ...]
    dx: tuple[np.ndarray, ...]
    dy: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class Below:
    """What those below a stage need: V^-1 z of all the factors is V^-1 z without them, less d times these.

    Parameters
    ----------
    bx : numpy.ndarray, shape (v, d, p)
    by : numpy.ndarray, shape (v, d)
        Of the residuals of the fixed part.
    omega : numpy.ndarray, shape (m, d, d)
        ``z'V^-1 z`` is that without the factors, less d' omega d.
    """

    bx: np.ndarray
    by: np.ndarray
    omega: np.ndarray


def eliminate_nested(stage: Nested, sums: Sums, factor: np.ndarray, totals: Totals) -> tuple[NestedPass, Sums]:
    """Eliminate a nested factor; return also the sums for the next one."""
    which = stage.which
    dd = sums.dd[:, which[:, None], which[None, :]]
    inner = np.eye(len(factor)) + factor.T @ dd @ factor
    root = np.linalg.cholesky(inner)
    totals.log_determinant += 2 * float(np.log(np.diagonal(root, axis1=1, axis2=2))[stage.real].sum())
    w = (factor @ np.linalg.inv(inner) @ factor.T) * stage.real[:, None, None]
    zd, zx, zy = sums.dd[:, which], sums.dx[:, which], sums.dy[:, which]
    totals.take(w, zx, zy)
    dw = np.swapaxes(zd, 1, 2) @ w
    after = Sums(sums.dd - dw @ zd, sums.dx - dw @ zx, sums.dy - (dw @ zy[:, :, None])[:, :, 0])
    upward = Sums(*(np.add.reduceat(own, stage.starts, axis=0) for own in (after.dd, after.dx, after.dy)))
    return NestedPass(w, sums, after), upward


def pull_nested(stage: Nested, found: NestedPass, beta: np.ndarray, above: Below | None) -> Below:
    """Return what those below need, given what the factors above leave."""
    which, (v, d, p) = stage.which, found.before.dx.shape
    zx = found.before.dx[:, which]
    zr = found.before.dy[:, which] - zx @ beta
    zd = found.before.dd[:, which]
    if above is None:
        bx, by, omega = np.zeros((v, d, p)), np.zeros((v, d)), np.zeros((v, d, d))
    else:
        sizes = stage.sizes
        bx, by, omega = (np.repeat(own, sizes, axis=0) for own in (above.bx, above.by, above.omega))
        zx, zr = zx - zd @ bx, zr - (zd @ by[:, :, None])[:, :, 0]
        kept = np.broadcast_to(np.eye(d), (v, d, d)).copy()
        kept[:, which] -= found.w @ zd
        omega = kept @ omega @ np.swapaxes(kept, 1, 2)
    bx[:, which] += found.w @ zx
    by[:, which] += (found.w @ zr[:, :, None])[:, :, 0]
    omega[:, which[:, None], which[None, :]] += found.w
    return Below(bx, by, omega)


def full_nested(
    stage: Nested, found: NestedPass, beta: np.ndarray, above: Below | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Z'V^-1 Z, Z'V^-1 X and Z'V^-1 r of each level, shapes (l, q, q), (l, q, p), (l, q), all factors in V."""
    which, real = stage.which, stage.real
    k = found.after.dd[:, which[:, None], which[None, :]][real]
    kx, ky = found.after.dx[:, which][real], found.after.dy[:, which][real]
    kr = ky - kx @ beta
    if above is not None:
        kd = found.after.dd[:, which][real]
        bx, by, omega = (np.repeat(own, stage.sizes, axis=0)[real] for own in (above.bx, above.by, above.omega))
        k = k - kd @ omega @ np.swapaxes(kd, 1, 2)
        kx = kx - kd @ bx
        kr = kr - (kd @ by[:, :, None])[:, :, 0]
    return k, kx, kr


def eliminate_crossed(stage: Crossed, sums: Sums, factors: list[np.ndarray], totals: Totals) -> CrossedPass:
    """Eliminate all factors that cross, component by component."""
    p = sums.dx.shape[2]
    ws: list[np.ndarray] = []
    dds: list[np.ndarray] = []
    dxs: list[np.ndarray] = []
    dys: list[np.ndarray] = []
    for number, component in enumerate(stage.components):
        batch, size = component.nodes.shape
        dd, dx, dy = _gathered(stage, sums, number, batch, size, p)
        root = _wide(stage, component.nodes, factors)
        inner = np.eye(size) + np.swapaxes(root, 1, 2) @ dd @ root
        totals.log_determinant += 2 * float(
            np.log(np.diagonal(np.linalg.cholesky(inner), axis1=1, axis2=2)).sum()
        )  # fmt: skip
        w = root @ np.linalg.inv(inner) @ np.swapaxes(root, 1, 2)
        totals.take(w, dx, dy)
        for held, own in ((ws, w), (dds, dd), (dxs, dx), (dys, dy)):
            held.append(own)
    return CrossedPass(tuple(ws), tuple(dds), tuple(dxs), tuple(dys))


def _gathered(
    stage: Crossed, sums: Sums, number: int, batch: int, size: int, p: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums with the level effects of one batch of components."""
    dd, dx, dy = np.zeros(batch * size * size), np.zeros((batch * size, p)), np.zeros(batch * size)
    for left, (_, _, d) in enumerate(stage.columns):
        own = stage.node[:, left]
        slot = stage.slot[own]
        here = (own >= 0) & (slot[:, 0] == number)
        place = (slot[:, 1] * size + slot[:, 2])[here]
        np.add.at(dx, place, sums.dx[here, d])
        np.add.at(dy, place, sums.dy[here, d])
        for right, (_, _, e) in enumerate(stage.columns):
            a, b = stage.node[stage.one, left], stage.node[stage.other, right]
            first, second = stage.slot[a], stage.slot[b]
            both = (a >= 0) & (b >= 0) & (first[:, 0] == number)
            flat = ((first[:, 1] * size + first[:, 2]) * size + second[:, 2])[both]
            dd += np.bincount(flat, weights=sums.dd[both, d, e], minlength=dd.size)
    return dd.reshape(batch, size, size), dx.reshape(batch, size, p), dy.reshape(batch, size)


def _wide(stage: Crossed, nodes: np.ndarray, factors: list[np.ndarray]) -> np.ndarray:
    """Root of the relative covariance of all level effects of components, shape (b, m, m); 0 where filled up."""
    batch, size = nodes.shape
    root = np.zeros((batch, size, size))
    for place, factor in zip(range(len(stage.factors)), factors, strict=True):
        q = len(factor)
        first = stage.offsets[place]
        last = stage.offsets[place + 1] if place + 1 < len(stage.offsets) else len(stage.slot)
        inside = (nodes >= first) & (nodes < last)
        own = (nodes - first) % q
        for a in range(q):
            for b in range(q):
                if factor[a, b]:
                    where = inside & (own == a)
                    slot = stage.slot[np.where(where, nodes - a + b, 0)][:, :, 2]
                    rows, columns = np.nonzero(where)
                    root[rows, columns, slot[rows, columns]] = factor[a, b]
    return root


def pull_crossed(stage: Crossed, found: CrossedPass, beta: np.ndarray) -> Below:
    """Return what those below crossed factors need: of each combination, and of each pair in `stage.one`."""
    v, d, p = len(stage.node), stage.width, found.dx[0].shape[2]
    bx, by, omega = np.zeros((v, d, p)), np.zeros((v, d)), np.zeros((stage.one.size, d, d))
    for number, (w, dx, dy) in enumerate(zip(found.w, found.dx, found.dy, strict=True)):
        cx, cr = w @ dx, (w @ (dy - dx @ beta)[:, :, None])[:, :, 0]
        for left, (_, _, i) in enumerate(stage.columns):
            own = stage.node[:, left]
            slot = stage.slot[own]
            here = (own >= 0) & (slot[:, 0] == number)
            bx[here, i] += cx[slot[here, 1], slot[here, 2]]
            by[here, i] += cr[slot[here, 1], slot[here, 2]]
            for right, (_, _, j) in enumerate(stage.columns):
                a, b = stage.node[stage.one, left], stage.node[stage.other, right]
                first, second = stage.slot[a], stage.slot[b]
                both = (a >= 0) & (b >= 0) & (first[:, 0] == number)
                # Two levels of different components have nothing in common.
                both &= (second[:, 0] == number) & (second[:, 1] == first[:, 1])
                omega[both, i, j] += w[first[both, 1], first[both, 2], second[both, 2]]
    return Below(bx, by, omega)


def full_crossed(
    stage: Crossed, found: CrossedPass, beta: np.ndarray, factor: int, q: int, n_levels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Z'V^-1 Z, Z'V^-1 X and Z'V^-1 r of each level of one factor, shapes (l, q, q), (l, q, p), (l, q)."""
    first = stage.offsets[stage.factors.index(factor)]
    nodes = first + np.arange(n_levels * q).reshape(n_levels, q)
    slot = stage.slot[nodes]
    p = found.dx[0].shape[2]
    k, kx, kr = np.empty((n_levels, q, q)), np.empty((n_levels, q, p)), np.empty((n_levels, q))
    for number, (w, dd, dx, dy) in enumerate(zip(found.w, found.dd, found.dx, found.dy, strict=True)):
        here = slot[:, 0, 0] == number
        row, place = slot[here, 0, 1], slot[here, :, 2]
        left = dd @ w
        full, whole_x = dd - left @ dd, dx - left @ dx
        whole_r = (dy - dx @ beta) - (left @ (dy - dx @ beta)[:, :, None])[:, :, 0]
        k[here] = full[row[:, None, None], place[:, :, None], place[:, None, :]]
        kx[here], kr[here] = whole_x[row[:, None], place], whole_r[row[:, None], place]
    return k, kx, kr
