"""Sandwich covariance of the coefficients, people as clusters."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ipt_outcomes.errors import DesignError

Sandwich = Literal["CR0", "CR2", "CR3"]


def sandwich(
    kind: Sandwich, x: np.ndarray, residual: np.ndarray, inverses: list[np.ndarray], people: list[np.ndarray],
    a_inv: np.ndarray,
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

    Returns
    -------
    numpy.ndarray, shape (p, p)

    Raises
    ------
    DesignError
        One person alone decides a coefficient: its residual cannot be corrected.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73(1):13-22, doi:10.1093/biomet/73.1.13; Bell and McCaffrey (2002), Survey
    Methodology 28(2):169-181; Pustejovsky and Tipton (2018), J Bus Econ Stat 36(4):672-683,
    doi:10.1080/07350015.2016.1247004.
    """
    total = np.zeros_like(a_inv)
    for rows, inverse in zip(people, inverses, strict=True):
        root = np.linalg.cholesky(inverse).T
        own, left = root @ x[rows], root @ residual[rows]
        if kind != "CR0":
            hat = own @ a_inv @ own.T
            values, vectors = np.linalg.eigh(np.eye(len(rows)) - (hat + hat.T) / 2)
            if values.min() < 1e-10:
                raise DesignError(
                    f"{kind} cannot be computed: one person alone decides a coefficient",
                    hint="Use CR0, or merge levels that one person has.",
                )
            power = -0.5 if kind == "CR2" else -1.0
            left = vectors @ (values**power * (vectors.T @ left))
        score = own.T @ left
        total += np.multiply.outer(score, score)
    return np.asarray(a_inv @ total @ a_inv)
