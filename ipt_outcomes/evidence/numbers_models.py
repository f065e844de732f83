"""Numbers of the models beside the main analysis as result rows: multilevel, without outliers, bias, subgroups."""

from __future__ import annotations

from ipt_outcomes.evidence.battery import Battery, total_i2
from ipt_outcomes.evidence.levels import column_in_words
from ipt_outcomes.evidence.writer import effect_rows, pooled_rows
from ipt_outcomes.meta import Subgroups
from ipt_outcomes.results import ResultsBuilder

_EFFECT = ("estimate", "se", "ci_low", "ci_high", "p_value")
_WITH_PREDICTION = (*_EFFECT, "prediction_low", "prediction_high")
_INFLUENCE = {
    "rstudent": "standard deviations",
    "dffits": "standard errors",
    "cooks_distance": "chi-square",
    "cov_ratio": "ratio",
    "hat": "share",
    "weight": "percent",
    "influential": "yes (1) or no (0)",
}
_Q = {"q_between": "chi-square", "q_between_df": "degrees of freedom", "q_between_p_value": "p"}


def model_rows(builder: ResultsBuilder, battery: Battery) -> None:
    """Add the numbers of other models and of the methods for small-study effects.

    Parameters
    ----------
    builder : ResultsBuilder
    battery : Battery

    Notes
    -----
    Analyses: ``three_level che outliers_removed outliers_removed_rows influence_removed trim_and_fill limit
    selection pet peese pet_peese waap`` and their twins on rows (``_rows``), ``begg egger_robust cumulative
    influence baujat metapsytools``.
    """
    _multilevel(builder, battery)
    for name, removal in battery.removal.items():
        pooled_rows(builder, name, removal.pooled, battery.groups)
        count = len(removal.removed)
        builder.add(name, "removed", count, unit="effects", method=removal.rule, groups=battery.groups)
    _bias(builder, battery)
    _per_study(builder, battery)
    _profile(builder, battery)


def _multilevel(builder: ResultsBuilder, battery: Battery) -> None:
    for name, model in battery.multilevel.items():
        groups, method = battery.groups, model.method
        builder.add(name, "k", model.k, unit="effects", method=method, groups=groups, n=model.k)
        builder.add(name, "studies", model.n_studies, unit="studies", method=method, groups=groups, n=model.k)
        numbers = {statistic: getattr(model, statistic) for statistic in _WITH_PREDICTION}
        numbers["tau2"] = model.tau2_study + model.tau2_effect
        numbers["i2"] = total_i2(model)
        effect_rows(builder, battery, name, numbers, groups=groups, method=method, n=model.k)
        for statistic, unit in {
            "tau2_study": "squared effect",
            "tau2_effect": "squared effect",
            "i2_study": "percent",
            "i2_effect": "percent",
            "statistic": "test statistic",
            "df": "degrees of freedom",
            "q": "chi-square",
            "q_df": "degrees of freedom",
            "q_p_value": "p",
        }.items():
            value = getattr(model, statistic)
            builder.add(name, statistic, value, unit=unit, method=method, groups=groups, n=model.k)


def _bias(builder: ResultsBuilder, battery: Battery) -> None:
    bias, groups = battery.bias, battery.groups
    for name, (method, one) in bias.adjusted().items():
        if name.startswith("trim_and_fill"):
            pooled_rows(builder, name, one, groups)
            builder.add(name, "k0", one.k0, unit="studies", method=method, groups=groups, n=one.k_observed)
            continue
        builder.add(name, "k", one.k, unit="effects", method=method, groups=groups, n=one.k)
        numbers = {statistic: getattr(one, statistic) for statistic in _EFFECT}
        effect_rows(builder, battery, name, numbers, groups=groups, method=method, n=one.k)
        if name.startswith("selection"):
            for statistic, unit in {"lrt": "chi-square", "lrt_df": "degrees of freedom", "lrt_p_value": "p"}.items():
                builder.add(name, statistic, getattr(one, statistic), unit=unit, method=method, groups=groups, n=one.k)
        if name.startswith("limit"):
            q = {"q_small_study": "chi-square", "q_small_study_p_value": "p"}
            for statistic, unit in q.items():
                builder.add(name, statistic, getattr(one, statistic), unit=unit, method=method, groups=groups, n=one.k)
    if bias.begg is not None:
        for statistic, unit in {"tau": "Kendall's tau", "p_value": "p"}.items():
            value = getattr(bias.begg, statistic)
            builder.add("begg", statistic, value, unit=unit, method="Begg's rank test", groups=groups, n=bias.begg.k)
    if bias.egger_robust is not None:
        method = "Egger's regression test on all rows, standard errors robust by study (CR2)"
        for statistic, unit in {"statistic": "t", "df": "degrees of freedom", "p_value": "p"}.items():
            value = getattr(bias.egger_robust, statistic)
            n = bias.egger_robust.k
            builder.add("egger_robust", statistic, value, unit=unit, method=method, groups=groups, n=n)


def _per_study(builder: ResultsBuilder, battery: Battery) -> None:
    """Pooling year by year, influence and Baujat's coordinates."""
    method = f"{battery.combined.method}; studies up to the one named, by year"
    for record in battery.cumulative.to_dict("records"):
        groups = {**battery.groups, "added": str(record["added"])}
        numbers = {name: record[name] for name in ("estimate", "ci_low", "ci_high", "p_value", "tau2", "i2")}
        effect_rows(builder, battery, "cumulative", numbers, groups=groups, method=method, n=record["k"])
        for name, unit in {"k": "effects", "year": "year"}.items():
            builder.add("cumulative", name, int(record[name]), unit=unit, method=method, groups=groups, n=record["k"])
    for record in battery.influence.to_dict("records"):
        groups = {**battery.groups, "study": str(record["study"])}
        for name, unit in _INFLUENCE.items():
            value = None if record[name] is None else float(record[name])
            builder.add("influence", name, value, unit=unit, method="Viechtbauer and Cheung (2010)", groups=groups)
    units = {"x": "share of Q", "y": "squared standard errors"}
    for record in battery.baujat.to_dict("records"):
        groups = {**battery.groups, "study": str(record["study"])}
        for name, unit in units.items():
            builder.add("baujat", name, record[name], unit=unit, method="Baujat et al (2002)", groups=groups)


def _profile(builder: ResultsBuilder, battery: Battery) -> None:
    if battery.profile is None:
        return
    for record in battery.profile.frame.to_dict("records"):
        groups = {**battery.groups, "model": str(record["model"])}
        method = f"{battery.profile.name}: {record['label']}"
        k = int(record["k"])
        numbers = {name: record[name] for name in (*_WITH_PREDICTION, "i2")}
        builder.add("metapsytools", "k", k, unit="effects", method=method, groups=groups, n=k)
        effect_rows(builder, battery, "metapsytools", numbers, groups=groups, method=method, n=k)
        if record["nnt"] is not None and record["nnt"] == record["nnt"]:
            builder.add("metapsytools", "nnt", record["nnt"], unit="people", method=method, groups=groups, n=k)


def subgroup_rows(builder: ResultsBuilder, battery: Battery) -> None:
    """Add the pooled effects of the levels of other columns, and the tests between levels.

    Parameters
    ----------
    builder : ResultsBuilder
    battery : Battery

    Notes
    -----
    Analyses: ``subgroup`` (groups ``variable level``), ``subgroup_test subgroup_test_normal
    subgroup_test_common_tau2`` (group ``variable``), and ``comparator_test_common_tau2``.
    """
    if battery.by_level is not None and battery.by_level.common_tau2 is not None:
        test = battery.by_level.common_tau2
        _test(builder, "comparator_test_common_tau2", test, "one tau2 for all levels", battery, {})
    for column, analysis in battery.subgroups.items():
        where = {"variable": column}
        for level, pooled in analysis.groups.pooled.items():
            pooled_rows(builder, "subgroup", pooled, {**battery.groups, **where, "level": str(level)})
        for name, found, words in (
            ("subgroup_test", analysis.groups, "each with its own tau2, from the standard errors shown"),
            ("subgroup_test_normal", analysis.normal, "each with its own tau2, from normal standard errors"),
            ("subgroup_test_common_tau2", analysis.common_tau2, "one tau2 for all levels"),
        ):
            if found is not None:
                _test(builder, name, found, f"levels of {column_in_words(column)}, {words}", battery, where)


def _test(
    builder: ResultsBuilder, analysis: str, found: Subgroups, words: str, battery: Battery, where: dict[str, str]
) -> None:
    if found.q_between is None:
        return
    groups, method = {**battery.groups, **where}, f"Test between levels: {words}"
    for statistic, unit in _Q.items():
        builder.add(analysis, statistic, getattr(found, statistic), unit=unit, method=method, groups=groups)
    if found.f_between is None or found.f_between_df is None:
        return
    numbers = {
        "f_between": ("F", found.f_between),
        "f_between_df1": ("degrees of freedom", found.f_between_df[0]),
        "f_between_df2": ("degrees of freedom", found.f_between_df[1]),
        "f_between_p_value": ("p", found.f_between_p_value),
    }
    for statistic, (unit, value) in numbers.items():
        builder.add(analysis, statistic, value, unit=unit, method=method, groups=groups)
