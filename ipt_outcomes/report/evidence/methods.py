"""The methods paragraph, written from what was run, the references it rests on, and where the data came from."""

from __future__ import annotations

from ipt_outcomes import __version__
from ipt_outcomes.evidence import EvidenceSynthesis, Options, column_in_words
from ipt_outcomes.report.document import Bullets, Paragraph, References
from ipt_outcomes.report.evidence.shown import Shown
from ipt_outcomes.report.references import cited
from ipt_outcomes.report.writing import capital
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
    "distribution with k − 1 degrees of freedom (as metafor does; Higgins and others have k − 2). Where the "
    "adjustment gives a narrower interval than the normal one, both are shown.",
    "knapp-hartung-adhoc": "Intervals and tests use the Knapp-Hartung adjustment, never narrower than the normal "
    "interval (ad hoc correction); prediction intervals use the t distribution with k − 1 degrees of freedom.",
}
_CONVENTION = {
    "metapsy": "Hedges' g follows the Metapsy convention: small-sample correction 1 − 3/(4 df − 1), standard error "
    "from the uncorrected difference.",
    "metafor": "Hedges' g uses the exact small-sample correction and the large-sample variance 1/n₁ + 1/n₂ + g²/(2N).",
}
_ZERO = {
    "add-half": "0.5 was added to all four cells of a table with an empty cell",
    "add-half-all": "0.5 was added to every cell of every table",
    "add-half-if-any": "0.5 was added to every cell of every table as soon as one had an empty cell",
    "treatment-arm": "the treatment-arm continuity correction was added to tables with an empty cell",
    "none": "nothing was added to empty cells",
}


_NO_INFORMATION = (
    "studies with no event in either arm, or with nothing but events in both, carry no information on a ratio and are "
    "left out of it"
)


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
    kinds = {kind for shown in batteries for kind in shown.battery.study_effects.rows["kind"]}
    return (
        Paragraph((_effects_words(synthesis, kinds),)),
        Paragraph((_model_words(options, batteries),)),
        *[
            Paragraph((words,))
            for words in (
                _dependence_words(options, batteries),
                _bias_words(batteries),
                _benefit_words(options, batteries),
            )
            if words
        ],
        Paragraph((f"Computed with ipt_outcomes {__version__}.",)),
    )


def _effects_words(synthesis: EvidenceSynthesis, kinds: set[str]) -> str:
    options = synthesis.options
    words = []
    if "g" in options.measures:
        words.append("A positive standardised effect favours arm 1, whichever way the scale runs.")
    tables = [studies.comparisons for studies in synthesis.sources.values()]
    if any(table["turned"].any() for table in tables if "turned" in table):
        words.append(f"Comparisons with {str(options.towards).upper()} in the second arm were turned round.")
    if "g" in options.measures:
        if kinds & {"means", "change", "events"}:
            words.append(_CONVENTION[options.convention])
        if "events" in kinds:
            words.append(
                f"Events were turned into g through the log odds ratio (√3/π); {_ZERO[options.zero_cells]}; "
                f"{_NO_INFORMATION}."
            )
        if kinds & {"precalc", "given"}:
            words.append(
                "Effects that the table holds only as printed, or as its databank gives them, were taken as they are."
            )
    ratios = [measure for measure in options.measures if measure != "g"]
    if ratios:
        words.append(
            f"{listed(ratios)}: arm 1 over (minus, for RD) arm 2; {_ZERO[options.zero_cells]}; {_NO_INFORMATION}."
        )
    return " ".join(words)


def _model_words(options: Options, batteries: tuple[Shown, ...]) -> str:
    if options.tau2 == "common":
        model = "Effects were pooled under one common effect (inverse-variance weights)."
    else:
        model = (
            f"Effects were pooled by a random-effects model; the between-study variance τ² by {_TAU2[options.tau2]}."
        )
    i2 = "I² is 100 (Q − df) / Q" if options.tau2 == "common" else "I² is 100 τ² / (τ² + typical sampling variance)"
    tests = _TEST["z" if options.tau2 == "common" else options.test]
    words = f"{model} {tests} {i2}; its interval and that of τ² are by the Q-profile method."
    if not any(shown.battery.combined.k > 1 for shown in batteries):
        words = "One study: its own effect is shown, with a normal interval."
    return f"{words} Confidence level {100 * options.level:g}%."


def _dependence_words(options: Options, batteries: tuple[Shown, ...]) -> str:
    words = []
    if any(shown.battery.has_dependence for shown in batteries):
        words.append(
            f"Effects of one study were combined into one before pooling, assuming a correlation of {options.rho:g} "
            "between them; the table of correlations shows what other values give."
        )
    by = next((shown.battery.by for shown in batteries if len(shown.battery.comparator_levels) > 1), None)
    if by is not None:
        words.append(
            f"Results by {column_in_words(by)} combine the effects of a study within each level; each level has its "
            "own τ²."
        )
    if any(shown.battery.low_risk for shown in batteries):
        words.append(
            f"A study has a low risk of bias if more than {options.low_risk_above:g} items are rated so, or if it is "
            'rated "low".'
        )
    return " ".join([*words, _sensitivity_words(batteries)]).strip()


def _sensitivity_words(batteries: tuple[Shown, ...]) -> str:
    """The sensitivity analyses that some battery holds."""
    held = [shown.battery for shown in batteries if shown.battery.combined.k > 1]
    if not held:
        return ""
    done = ["each study left out in turn"] if any(not battery.leave_one_out.empty for battery in held) else []
    done += ["other estimators of τ²", "one common effect"]
    if any("lowest" in battery.sensitivity for battery in held):
        done.append("only the lowest or the highest effect of each study")
    words = f"Sensitivity: {listed(done)}."
    if any(battery.removal for battery in held):
        words += (
            " Outliers are studies whose interval lies wholly outside that of the pooled effect; influential studies "
            "are those beyond the limits of Viechtbauer and Cheung."
        )
    if any(battery.multilevel for battery in held):
        words += (
            " All rows were also pooled in a three-level model and in a model of correlated and hierarchical effects "
            "(the same correlation), with standard errors robust by study (CR2) and Satterthwaite degrees of freedom."
        )
    return words


def _bias_words(batteries: tuple[Shown, ...]) -> str:
    """The methods for small-study effects that some battery holds."""
    held = [shown.battery for shown in batteries]
    names = {
        "trim and fill": any(battery.bias.trim_and_fill is not None for battery in held),
        "limit meta-analysis": any(battery.bias.limit is not None for battery in held),
        "a selection model with one step at a one-sided p of 0.025": any(b.bias.selection is not None for b in held),
        "PET-PEESE": any(battery.bias.pet_peese is not None for battery in held),
        "WAAP-WLS": any(battery.bias.waap is not None for battery in held),
    }
    done = [name for name, was in names.items() if was]
    tests = ["Egger's regression"] if any(battery.egger is not None for battery in held) else []
    tests += ["Begg's rank test"] if any(battery.bias.begg is not None for battery in held) else []
    words = f"Funnel asymmetry: {listed(tests)}, on one effect per study." if tests else ""
    return f"{words} Adjusted for small-study effects: {listed(done)}.".strip() if done else words


def _benefit_words(options: Options, batteries: tuple[Shown, ...]) -> str:
    """How pooled effects became numbers of people, and which other choices were tried."""
    words = ""
    if any(shown.battery.nnt for shown in batteries):
        words = (
            "Numbers needed to treat rest on the rate of good outcomes without the treatment: the pooled one where "
            f"studies count people, and {100 * options.control_rate:g}%"
        )
        of_g = any(shown.symbol == "g" for shown in batteries)
        words += "; g by the method of Furukawa and Leucht, beside that of Kraemer and Kupfer." if of_g else "."
    if any(shown.battery.specifications is not None for shown in batteries):
        words += (
            " The specification curve holds every combination of estimator, correlation, comparator, risk of bias and "
            "choice of rows that leaves two effects or more."
        )
    return words.strip()


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
            items.append((f"{lead}{source.name}, SHA-256 {source.sha256}.",))
        if studies.simulated:
            items.append((f"{lead}Simulated: no trial stands behind these rows.",))
        items += [(f"{lead}{capital(note)}.",) for note in studies.notes]
        if synthesis.given[name] is None:
            items.append((f"{lead}There are no effects of a databank to check against the rows.",))
    return Bullets(tuple(items))


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
    held = [shown.battery for shown in batteries]
    bias = [battery.bias for battery in held]
    of_g = "g" in options.measures
    used = {
        "hedges": of_g,
        "chinn": any((battery.study_effects.rows["kind"] == "events").any() for battery in held) and of_g,
        "sweeting": options.measures != ("g",),
        "reml": True,
        "dl": True,
        "pm": True,
        "knapp": True,
        "adhoc": True,
        "i2": True,
        "qprofile": True,
        "prediction": options.tau2 != "common",
        "borenstein": any(battery.has_dependence for battery in held),
        "che": any(battery.multilevel for battery in held),
        "cr2": any(battery.multilevel for battery in held),
        "influence": any(not battery.influence.empty for battery in held),
        "baujat": any(not battery.baujat.empty for battery in held),
        "funnel": True,
        "egger": any(battery.egger is not None for battery in held),
        "begg": any(one.begg is not None for one in bias),
        "trimfill": any(one.trim_and_fill is not None for one in bias),
        "limit": any(one.limit is not None for one in bias),
        "selection": any(one.selection is not None for one in bias),
        "petpeese": any(one.pet_peese is not None for one in bias),
        "waap": any(one.waap is not None for one in bias),
        "furukawa": of_g and any(battery.nnt for battery in held),
        "kraemer": of_g and any(battery.nnt for battery in held),
        "specification": any(battery.specifications is not None for battery in held),
        "rob2": any(battery.risk_of_bias is not None and battery.risk_of_bias.source == "RoB 2" for battery in held),
        "grade": any(battery.findings is not None for battery in held),
        "prisma": synthesis.flow is not None,
    }
    return cited(used)
