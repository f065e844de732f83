"""Likelihood of variance components, coefficients profiled out, with score and both kinds of information."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.meta.multilevel.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Fitted:
    """Generalised least squares at given variance components.

    Parameters
    ----------
    coefficients : numpy.ndarray, shape (p,)
    covariance : numpy.ndarray, shape (p, p)
        (X' Omega^-1 X)^-1.
    inverses : tuple of numpy.ndarray, each of shape (m, s, s)
        Omega^-1 per stack.
    residuals : tuple of numpy.ndarray, each of shape (m, s)
        Per stack; 0 in the padding.
    quadratic : float
        r' Omega^-1 r.
    log_likelihood : float
        With all constants.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    inverses: tuple[np.ndarray, ...]
    residuals: tuple[np.ndarray, ...]
    quadratic: float
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Score and information of the variance components.

    Parameters
    ----------
    score : numpy.ndarray, shape (c,)
    expected, observed : numpy.ndarray, shape (c, c)
        Fisher's information, and minus the second derivatives.
    """

    score: np.ndarray
    expected: np.ndarray
    observed: np.ndarray


def gls(blocks: Blocks, variances: np.ndarray, *, restricted: bool) -> Fitted:
    """Fit the coefficients at given variance components.

    Parameters
    ----------
    blocks : Blocks
    variances : numpy.ndarray, shape (c,)
    restricted : bool
        Whether the restricted likelihood is meant.

    Returns
    -------
    Fitted
    """
    p = blocks.design.shape[1]
    information, cross, log_det = np.zeros((p, p)), np.zeros(p), 0.0
    inverses = []
    for stack in blocks.stacks:
        omega = stack.sampling + sum(value * part for value, part in zip(variances, stack.parts, strict=True))
        inverse = np.linalg.inv(omega)
        inverses.append((inverse + inverse.transpose(0, 2, 1)) / 2)
        log_det += float(np.linalg.slogdet(omega)[1].sum())
        wx = inverses[-1] @ stack.x
        information += np.einsum("msp,msq->pq", stack.x, wx)
        cross += np.einsum("msp,ms->p", wx, stack.y)
    covariance = np.linalg.inv(information)
    covariance = (covariance + covariance.T) / 2
    coefficients = covariance @ cross
    residuals = tuple(stack.y - stack.x @ coefficients for stack in blocks.stacks)
    quadratic = sum(
        float(np.sum(r * (inverse @ r[:, :, None])[:, :, 0])) for r, inverse in zip(residuals, inverses, strict=True)
    )
    free = blocks.y.size - (p if restricted else 0)
    value = -0.5 * (free * np.log(2 * np.pi) + log_det + quadratic)
    if restricted:
        value += 0.5 * float(np.linalg.slogdet(blocks.design.T @ blocks.design)[1] - np.linalg.slogdet(information)[1])
    return Fitted(coefficients, covariance, tuple(inverses), residuals, quadratic, float(value))


def derivatives(blocks: Blocks, fitted: Fitted, *, restricted: bool) -> Derivatives:
    """Return score and information of the variance components at a fit.

    Parameters
    ----------
    blocks : Blocks
    fitted : Fitted
    restricted : bool

    Returns
    -------
    Derivatives
    """
    c, p, m = blocks.n_parts, blocks.design.shape[1], fitted.covariance
    traces, squares = np.zeros(c), np.zeros(c)
    pairs, quadratics = np.zeros((c, c)), np.zeros((c, c))
    weighted, weighted2, crosses = np.zeros((c, p, p)), np.zeros((c, c, p, p)), np.zeros((c, p))
    for stack, w, r in zip(blocks.stacks, fitted.inverses, fitted.residuals, strict=True):
        x = stack.x
        wx, u = w @ x, np.einsum("mst,mt->ms", w, r)
        wg = [w @ part for part in stack.parts]
        gx = [part @ wx for part in stack.parts]
        gu = [np.einsum("mst,mt->ms", part, u) for part in stack.parts]
        wgu = [np.einsum("mst,mt->ms", w, one) for one in gu]
        for i in range(c):
            traces[i] += np.einsum("mss->", wg[i])
            squares[i] += np.sum(u * gu[i])
            weighted[i] += np.einsum("msp,msq->pq", wx, gx[i])
            crosses[i] += np.einsum("msp,ms->p", wx, gu[i])
            for j in range(i, c):
                pairs[i, j] += np.einsum("mst,mts->", wg[i], wg[j])
                quadratics[i, j] += np.sum(wgu[i] * gu[j])
                weighted2[i, j] += np.einsum("msp,mst,mtq->pq", gx[i], w, gx[j])
    score, expected, observed = np.zeros(c), np.zeros((c, c)), np.zeros((c, c))
    for i in range(c):
        trace = traces[i] - (np.trace(m @ weighted[i]) if restricted else 0.0)
        score[i] = 0.5 * (squares[i] - trace)
        for j in range(i, c):
            pair = pairs[i, j]
            if restricted:
                pair += np.trace(m @ weighted[i] @ m @ weighted[j]) - 2 * np.trace(m @ weighted2[i, j])
            second = quadratics[i, j] - crosses[i] @ m @ crosses[j]
            expected[i, j] = expected[j, i] = 0.5 * pair
            observed[i, j] = observed[j, i] = second - 0.5 * pair
    return Derivatives(score, expected, observed)
