"""Frequentist network meta-analysis."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.meta.inference import chi2_p
from ipt_outcomes.meta.inputs import require_level
from ipt_outcomes.meta.network.arms import Arms, read_arms
from ipt_outcomes.meta.network.model import NetworkFit, designs_of, fit_network, fit_within, moment_tau2, reml_tau2
from ipt_outcomes.meta.network.result import NetworkEffect
from ipt_outcomes.results import Provenance, format_number, plural


def network(
    estimate: ArrayLike,
    se: ArrayLike,
    *,
    study: Any,
    arm1: Any,
    arm2: Any,
    reference: Any,
    tau2: Literal["DL", "REML"] = "DL",
    level: float = 0.95,
    tolerance: float = 0.05,
) -> NetworkEffect:
    """Compare all treatments of a network of trials.

    Parameters
    ----------
    estimate, se : array_like, shape (m,)
        Contrast of two arms of a trial, arm 1 minus arm 2 (ratios on the log scale), and its standard error.
    study, arm1, arm2 : array_like, shape (m,)
        Trial and treatments. A trial with n arms gives all n(n - 1)/2 contrasts.
    reference : object
        Treatment that summaries compare with.
    tau2 : {"DL", "REML"}
        Estimator of the between-study variance, one for all comparisons.
    level : float
        Level of the intervals.
    tolerance : float
        How far estimates and standard errors of a trial with several arms may contradict one another, in
        standard errors (rounding of what was printed); beyond it the trial is refused by name.

    Returns
    -------
    NetworkEffect

    Raises
    ------
    DesignError
        Names missing, a contrast twice, an impossible standard error; a trial with several arms whose contrasts
        are incomplete or contradict one another (named); a network in several parts (named).
    OptionError
        An option is not one of the choices, or `reference` is no treatment of the network.
    ConvergenceError
        tau2 could not be estimated.

    Notes
    -----
    Contrasts of one trial share arms; the variances of its arms are solved from those of its contrasts, so a
    trial with several arms counts once. Under random effects the arms of a trial have variances tau2/2 on top,
    and every contrast tau2.

    References
    ----------
    Ruecker (2012), Res Synth Methods 3(4):312-324, doi:10.1002/jrsm.1058;
    Ruecker, Schwarzer (2014), Stat Med 33(25):4353-4369, doi:10.1002/sim.6236 (several arms);
    Jackson, White, Riley (2012), Stat Med 31(29):3805-3820, doi:10.1002/sim.5453 (tau2);
    Higgins et al (2012), Res Synth Methods 3(2):98-110, doi:10.1002/jrsm.1044 (inconsistency);
    Krahn, Binder, Koenig (2013), BMC Med Res Methodol 13:35, doi:10.1186/1471-2288-13-35 (decomposition).

    Examples
    --------
    >>> from ipt_outcomes.meta import network
    >>> result = network([0.5, 0.2, 0.4], [0.2, 0.2, 0.3], study=["A", "B", "C"], arm1=["ipt", "cbt", "ipt"],
    ...                  arm2=["tau", "tau", "cbt"], reference="tau")
    >>> result.treatments, round(result.q, 3)
    (('cbt', 'ipt', 'tau'), 0.059)
    """
    require_choice("tau2", tau2, ("DL", "REML"))
    require_level(level)
    arms = read_arms(estimate, se, study, arm1, arm2, tolerance=tolerance)
    if reference not in arms.treatments:
        raise OptionError(
            f"reference must be a treatment of the network; got {reference!r}",
            hint=f"Treatments: {', '.join(str(name) for name in arms.treatments)}.",
        )
    common = fit_network(arms, 0.0)
    variance = moment_tau2(common.q, common.df, common.trace) if tau2 == "DL" else reml_tau2(arms)
    random = fit_network(arms, variance)
    design = designs_of(arms)
    within = fit_within(arms, 0.0, design)
    inside = moment_tau2(*within)
    between = fit_network(arms, inside).q - fit_within(arms, inside, design)[0]
    inconsistent, df = max(0.0, common.q - within[0]), common.df - within[1]
    return NetworkEffect(
        treatments=arms.treatments,
        reference=reference,
        k=len(arms.studies),
        n_contrasts=len(arms.pairs),
        n_designs=int(design.max()) + 1,
        n_dropped=arms.n_dropped,
        tau2=variance,
        i2=max(0.0, 100 * (common.q - common.df) / common.q) if common.df > 0 and common.q > 0 else None,
        q=common.q if common.df > 0 else 0.0,
        q_df=common.df,
        q_p_value=chi2_p(common.q, common.df) if common.df > 0 else None,
        q_heterogeneity=within[0],
        q_heterogeneity_df=within[1],
        q_inconsistency=inconsistent if df > 0 else 0.0,
        q_inconsistency_df=df,
        q_inconsistency_p_value=chi2_p(inconsistent, df) if df > 0 else None,
        q_inconsistency_random=max(0.0, between) if df > 0 else 0.0,
        q_inconsistency_random_p_value=chi2_p(max(0.0, between), df) if df > 0 else None,
        tau2_within=inside,
        tau2_method=tau2,
        level=float(level),
        method=f"Network meta-analysis by weighted least squares, trials with several arms count once; tau2 by {tau2}; "
        f"normal intervals at {format_number(100 * level, 'number')}%, prediction with t and the df of Q.",
        notes=_notes(arms, common),
        provenance=Provenance(
            function="meta.network",
            options={"reference": str(reference), "tau2": tau2, "level": float(level), "tolerance": tolerance},
        ),
        arms=arms,
        common_fit=common,
        random_fit=random,
    )


def _notes(arms: Arms, common: NetworkFit) -> tuple[str, ...]:
    notes = []
    if common.df <= 0:
        notes.append(
            "There are no more contrasts than treatments need: neither heterogeneity nor inconsistency can be seen."
        )
    if arms.n_dropped:
        rows = plural(arms.n_dropped, "row without an estimate or standard error was", "rows without an estimate or "
                      "standard error were")  # fmt: skip
        notes.append(f"{arms.n_dropped} {rows} left out.")
    return tuple(notes)
