"""The methods paragraph, written from what was run, the references it rests on, and where the data came from."""

from __future__ import annotations

from ipt_outcomes import __version__
from ipt_outcomes.evidence import EvidenceSynthesis, Options
from ipt_outcomes.report.document import Bullets, Paragraph, Reference, References
from ipt_outcomes.report.evidence.findings import by_words
from ipt_outcomes.report.evidence.shown import Shown
from ipt_outcomes.results import listed
from ipt_outcomes.tables import Content

_TAU2 = {
    "REML": "restricted maximum likelihood",
    "ML": "maximum likelihood",
    "DL": "the DerSimonian-Laird estimator",
    "PM": "the Paule-Mandel estimator",
    "EB": "the empirical Bayes estimator",
    "SJ": "the Sidik-Jonkman estimator",
    "HS": "the Hunter-Schmidt estimator",
    "HE": "the Hedges estimator",
}
_TEST = {
    "z": "Intervals and tests use the normal distribution, prediction intervals too.",
    "knapp-hartung": "Intervals and tests use the Knapp-Hartung adjustment; prediction intervals use the t "
    "distribution with k − 1 degrees of freedom. Where the adjustment gives a narrower interval than the normal one, "
    "both are shown.",
    "knapp-hartung-adhoc": "Intervals and tests use the Knapp-Hartung adjustment, never narrower than the normal "
    "interval (ad hoc correction); prediction intervals use the t distribution with k − 1 degrees of freedom.",
}
_CONVENTION = {
    "metapsy": "Hedges' g follows the Metapsy convention: small-sample correction 1 − 3/(4 df − 1), standard error "
    "from the uncorrected difference; events were turned into g through the log odds ratio (√3/π).",
    "metafor": "Hedges' g uses the exact small-sample correction and the large-sample variance 1/n₁ + 1/n₂ + "
    "g²/(2N); events were turned into g through the log odds ratio (√3/π).",
}
_ZERO = {
    "add-half": "0.5 was added to all four cells of a table with an empty cell",
    "add-half-all": "0.5 was added to every cell of every table",
    "add-half-if-any": "0.5 was added to every cell of every table as soon as one had an empty cell",
    "treatment-arm": "the treatment-arm continuity correction was added to tables with an empty cell",
    "none": "nothing was added to empty cells",
}


def methods_paragraphs(synthesis: EvidenceSynthesis, batteries: tuple[Shown, ...]) -> tuple[Paragraph, ...]:
    """Return the methods section: effects, models, dependence, sensitivity.

    Parameters
    ----------
    synthesis : EvidenceSynthesis
    batteries : tuple of Shown

    Returns
    -------
    tuple of Paragraph
    """
    options = synthesis.options
    return (
        Paragraph((_effects_words(synthesis),)),
        Paragraph((_model_words(options),)),
        Paragraph((_dependence_words(options, batteries),)),
        Paragraph((f"Computed with ipt_outcomes {__version__}.",)),
    )


def _effects_words(synthesis: EvidenceSynthesis) -> str:
    options = synthesis.options
    words = []
    if "g" in options.measures:
        words.append("A positive standardised effect favours arm 1, whichever way the scale runs.")
    if options.towards is not None:
        turned = any(
            studies.comparisons["turned"].any()
            for studies in synthesis.sources.values()
            if "turned" in studies.comparisons
        )
        if turned:
            words.append(f"Comparisons with {options.towards.upper()} in the second arm were turned round.")
    if "g" in options.measures:
        words.append(_CONVENTION[options.convention])
        words.append("Effects that the table holds only as printed were taken as they are.")
    ratios = [measure for measure in options.measures if measure != "g"]
    if ratios:
        words.append(
            f"{listed(ratios)}: arm 1 over (minus, for RD) arm 2; {_ZERO[options.zero_cells]}; studies with no event "
            "in either arm carry no information on a ratio and are left out of it."
        )
    return " ".join(words)


def _model_words(options: Options) -> str:
    if options.tau2 == "common":
        model = "Effects were pooled under one common effect (inverse-variance weights)."
    else:
        model = (
            f"Effects were pooled by a random-effects model; the between-study variance tau² by {_TAU2[options.tau2]}."
        )
    i2 = "I² is 100 (Q − df) / Q" if options.tau2 == "common" else "I² is 100 tau² / (tau² + typical sampling variance)"
    tests = _TEST["z" if options.tau2 == "common" else options.test]
    return (
        f"{model} {tests} {i2}; its interval and that of tau² are by the Q-profile method. "
        f"Confidence level {100 * options.level:g}%."
    )


def _dependence_words(options: Options, batteries: tuple[Shown, ...]) -> str:
    words = []
    if any(shown.battery.has_dependence for shown in batteries):
        words.append(
            f"Effects of one study were combined into one before pooling, assuming a correlation of {options.rho:g} "
            "between them; the table of correlations shows what other values give."
        )
    by = next((shown.battery.by for shown in batteries if shown.battery.comparators is not None), None)
    if by is not None:
        words.append(
            f"Results by {by_words(by)} combine the effects of a study within each level; each level has its own tau²."
        )
    if any(shown.battery.low_risk for shown in batteries):
        words.append(
            f"Low risk of bias means more than {options.low_risk_above:g} items rated as low risk, or the word low."
        )
    words.append(
        "Sensitivity: each study left out in turn, other estimators of tau², one common effect. Funnel asymmetry: "
        "Egger's regression on the combined effects."
    )
    return " ".join(words)


def data_bullets(synthesis: EvidenceSynthesis) -> Bullets:
    """Return where the data came from and how they were read.

    Parameters
    ----------
    synthesis : EvidenceSynthesis

    Returns
    -------
    Bullets
    """
    items: list[Content] = []
    for name, studies in synthesis.sources.items():
        lead = f"{name}: " if len(synthesis.sources) > 1 else ""
        for source in studies.source.parts or (studies.source,):
            items.append((f"{lead}{source.name}, SHA-256 {source.sha256}",))
        if studies.simulated:
            items.append((f"{lead}simulated: no trial stands behind these rows",))
        items += [(f"{lead}{note}",) for note in studies.notes]
    return Bullets(tuple(items))


_REFERENCES: dict[str, Reference] = {
    "hedges": Reference(
        "Hedges (1981). Distribution theory for Glass's estimator of effect size and related estimators.",
        "10.3102/10769986006002107",
    ),
    "chinn": Reference(
        "Chinn (2000). A simple method for converting an odds ratio to effect size.",
        "10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M",
    ),
    "knapp": Reference(
        "Knapp & Hartung (2003). Improved tests for a random effects meta-regression with a single covariate.",
        "10.1002/sim.1482",
    ),
    "reml": Reference(
        "Viechtbauer (2005). Bias and efficiency of meta-analytic variance estimators in the random-effects model.",
        "10.3102/10769986030003261",
    ),
    "qprofile": Reference(
        "Viechtbauer (2007). Confidence intervals for the amount of heterogeneity in meta-analysis.",
        "10.1002/sim.2514",
    ),
    "i2": Reference("Higgins & Thompson (2002). Quantifying heterogeneity in a meta-analysis.", "10.1002/sim.1186"),
    "prediction": Reference(
        "Higgins, Thompson & Spiegelhalter (2009). A re-evaluation of random-effects meta-analysis.",
        "10.1111/j.1467-985X.2008.00552.x",
    ),
    "egger": Reference(
        "Egger, Davey Smith, Schneider & Minder (1997). Bias in meta-analysis detected by a simple, graphical test.",
        "10.1136/bmj.315.7109.629",
    ),
    "funnel": Reference(
        "Peters, Sutton, Jones, Abrams & Rushton (2008). Contour-enhanced meta-analysis funnel plots.",
        "10.1016/j.jclinepi.2007.11.010",
    ),
    "borenstein": Reference(
        "Borenstein, Hedges, Higgins & Rothstein (2009). Introduction to Meta-Analysis, chapter 24.",
        "10.1002/9780470743386",
    ),
    "sweeting": Reference(
        "Sweeting, Sutton & Lambert (2004). What to add to nothing? Use and avoidance of continuity corrections.",
        "10.1002/sim.1761",
    ),
}


def references(synthesis: EvidenceSynthesis, batteries: tuple[Shown, ...]) -> References:
    """Return the references of the methods that were run.

    Parameters
    ----------
    synthesis : EvidenceSynthesis
    batteries : tuple of Shown

    Returns
    -------
    ipt_outcomes.report.document.References
    """
    options = synthesis.options
    used = {
        "hedges": "g" in options.measures,
        "chinn": any((shown.battery.study_effects.rows["kind"] == "events").any() for shown in batteries)
        and "g" in options.measures,
        "sweeting": options.measures != ("g",),
        "reml": options.tau2 == "REML",
        "knapp": options.test != "z",
        "i2": True,
        "qprofile": True,
        "prediction": options.tau2 != "common",
        "borenstein": any(shown.battery.has_dependence for shown in batteries),
        "egger": any(shown.battery.egger is not None for shown in batteries),
        "funnel": True,
    }
    return References(tuple(_REFERENCES[key] for key, use in used.items() if use))
