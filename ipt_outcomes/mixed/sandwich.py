"""Sandwich covariance of the coefficients, people (or what else depends on nothing outside) as clusters."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ipt_outcomes.errors import DesignError

Sandwich = Literal["CR0", "CR2", "CR3"]
Root = Literal["whitened", "working"]


def sandwich(
    kind: Sandwich, x: np.ndarray, residual: np.ndarray, inverses: list[np.ndarray], people: list[np.ndarray],
    a_inv: np.ndarray, *, root: Root = "whitened",
) -> np.ndarray:  # fmt: skip
    """Return a covariance of the coefficients that holds whatever the covariance of the residuals is.

    Parameters
    ----------
    kind : {"CR0", "CR2", "CR3"}
        Plain; bias-reduced; jackknife.
    x : numpy.ndarray, shape (n, p)
    residual : numpy.ndarray, shape (n,)
    inverses : list of numpy.ndarray, shape (n_i, n_i)
        Inverse covariance matrix of each person's rows.
    people : list of numpy.ndarray of int
        Rows of each person.
    a_inv : numpy.ndarray, shape (p, p)
        Model-based covariance.
    root : {"whitened", "working"}
        Which square root corrects residuals under CR2: of residuals with the covariance divided out (as the R package
        mmrm takes it), or of those multiplied by the root of the covariance (as clubSandwich). Both make the estimate
        unbiased where the working model holds; they differ little.

    Returns
    -------
    numpy.ndarray, shape (p, p)

    Raises
    ------
    DesignError
        One cluster alone decides a coefficient: its residual cannot be corrected.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73(1):13-22, doi:10.1093/biomet/73.1.13; Bell and McCaffrey (2002), Survey
    Methodology 28(2):169-181; Pustejovsky and Tipton (2018), J Bus Econ Stat 36(4):672-683,
    doi:10.1080/07350015.2016.1247004.
    """
    total = np.zeros_like(a_inv)
    for rows, inverse in zip(people, inverses, strict=True):
        factor = np.linalg.cholesky(inverse).T
        own, left = factor @ x[rows], factor @ residual[rows]
        if kind != "CR0":
            hat = own @ a_inv @ own.T
            left_over = np.eye(len(rows)) - (hat + hat.T) / 2
            if np.linalg.eigvalsh(left_over)[0] < 1e-10:
                raise DesignError(
                    f"{kind} cannot be computed: one cluster alone decides a coefficient",
                    hint="Use CR0, or merge levels that one cluster has.",
                )
            if kind == "CR2" and root == "working":
                left = _corrected(factor, left_over, residual[rows])
            else:
                left = _power(left_over, -0.5 if kind == "CR2" else -1.0) @ left
        score = own.T @ left
        total += np.multiply.outer(score, score)
    return np.asarray(a_inv @ total @ a_inv)


def _corrected(factor: np.ndarray, left_over: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Residuals corrected in the space of the covariance's own root, then with the covariance divided out."""
    back = np.linalg.inv(factor)
    root = np.linalg.cholesky(back @ back.T).T
    spread = root @ back @ left_over @ back.T @ root.T
    return np.asarray(factor @ root.T @ _power((spread + spread.T) / 2, -0.5) @ root @ residual)


def _power(matrix: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**power) @ vectors.T)
