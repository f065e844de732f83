"""What looks wrong in the effects of a meta-analysis: said to the user, never corrected."""

from __future__ import annotations

import numpy as np

from ipt_outcomes.meta.batch import fit_subsets
from ipt_outcomes.meta.inputs import name_rows
from ipt_outcomes.results import format_number, listed, plural

# A standardised effect beyond this is larger than psychotherapy trials find: an SE typed as SD, a change SD.
LARGEST_SMD = 3.0
# Deleted residuals in standard errors: as given far out, with the other sign well inside.
_FAR_OUT, _INSIDE = 3.0, 1.5
# Sampling variances this many times below the usual one say that a unit or a decimal mark is wrong.
_MORE_PRECISE = 100.0
_STANDARDISED = frozenset({"SMD", "SMDC", "SMDPC", "SMC"})
_FEWEST = 4


def oddities(yi: np.ndarray, vi: np.ndarray, positions: np.ndarray, measure: str | None = None) -> tuple[str, ...]:
    """Return a sentence for each thing a person should look at.

    Parameters
    ----------
    yi, vi : numpy.ndarray, shape (n,)
        Effects and sampling variances as given.
    positions : numpy.ndarray of int, shape (k,)
        Rows used.
    measure : str, optional
        As in `EffectSizes`.

    Returns
    -------
    tuple of str
        Empty where nothing looks wrong.

    Notes
    -----
    Identical rows: the same effect and variance to all digits. Sign: the effect is more than 3 standard errors from
    the effect pooled without it (tau2 by DL), and less than 1.5 with its sign turned round; at least 4 studies. Size:
    a standardised effect beyond 3. Precision: a variance more than 100 times below the median.
    """
    y, v = yi[positions], vi[positions]
    found = list(repeated_rows(y, v, positions))
    turned = positions[_turned(y, v)] if y.size >= _FEWEST else positions[:0]
    if turned.size:
        found.append(
            f"{name_rows(turned).capitalize()}: far from the other effects, but among them with the sign turned round. "
            f"{plural(int(turned.size), 'Does its sign', 'Do their signs')} follow the others'?"
        )
    large = positions[np.abs(y) > LARGEST_SMD] if measure in _STANDARDISED else positions[:0]
    if large.size:
        sizes = listed([format_number(float(yi[row])) for row in large[:5]])
        found.append(
            f"{name_rows(large).capitalize()}: {plural(int(large.size), 'an effect', 'effects')} of {sizes} standard "
            "deviations, more than trials of psychotherapy find: a standard error typed as SD, or a wrong sign?"
        )
    precise = positions[v * _MORE_PRECISE < np.median(v)]
    if precise.size:
        found.append(
            f"{name_rows(precise).capitalize()}: more than {_MORE_PRECISE:g} times as precise as the usual study: "
            "a standard error in place of a variance, or a wrong decimal mark?"
        )
    return tuple(found)


def repeated_rows(y: np.ndarray, v: np.ndarray, positions: np.ndarray) -> tuple[str, ...]:
    """Return a sentence for each set of rows with one effect and one variance.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
        Effects and variances of the rows used.
    positions : numpy.ndarray of int, shape (k,)
        Their rows.

    Returns
    -------
    tuple of str
    """
    return tuple(
        f"{name_rows(rows).capitalize()} have the same effect and variance: is it one study twice?"
        for rows in _identical(y, v, positions)
    )


def _identical(y: np.ndarray, v: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    order = np.lexsort((v, y))
    same = (np.diff(y[order]) == 0) & (np.diff(v[order]) == 0)
    if not same.any():
        return []
    groups = np.split(positions[order], np.flatnonzero(~same) + 1)
    return sorted((np.sort(group) for group in groups if group.size > 1), key=lambda group: int(group[0]))


def _turned(y: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Which effects do not fit the others', but would with the other sign."""
    others = fit_subsets(y, v, ~np.eye(y.size, dtype=bool), "DL")
    spread = np.sqrt(v + others.tau2 + others.variance)
    far = np.abs(y - others.estimate) > _FAR_OUT * spread
    return np.asarray(far & (np.abs(-y - others.estimate) < _INSIDE * spread))
