"""What must not matter: the order of rows and columns, the names people have."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.io import load_cohort

ARMS = ["IPT", "TAU", "cbt"]


@st.composite
def trials(draw):
    n = draw(st.integers(1, 6))
    rows = []
    for person in range(n):
        weeks = draw(st.lists(st.integers(-2, 12), min_size=1, max_size=4, unique=True))
        arm = draw(st.sampled_from(ARMS))
        for week in weeks:
            score = draw(st.one_of(st.none(), st.integers(0, 27)))
            rows.append({"patient_id": f"p{person}", "week": week, "arm": arm, "site": f"s{person % 2}", "phq9": score})
    return pd.DataFrame(rows)


def content(cohort):
    """The outcome without its random keys, in an order of its own."""
    if "phq9" not in cohort.instruments:
        return pd.DataFrame()
    long = cohort.outcome("phq9", include_baseline=True)
    profile = long.groupby("patient_id", sort=False)["week"].transform(lambda weeks: str(sorted(weeks)))
    values = long.groupby("patient_id", sort=False)["value"].transform(lambda scores: str(sorted(scores.fillna(-1))))
    long = long.drop(columns=["patient_id", "episode_id"]).assign(
        profile=profile, values=values, arm=long["arm"].astype(str)
    )
    return long.sort_values(list(long.columns), kind="stable", ignore_index=True)


@settings(max_examples=25, deadline=None)
@given(trials(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_does_not_matter(table, random):
    rows, columns = list(range(len(table))), list(table.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    other = table.iloc[rows][columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(content(load_cohort(other)), content(load_cohort(table)))


@settings(max_examples=25, deadline=None)
@given(trials(), st.permutations(["007", "7", "Zoë", "NA-1", "a b", "nobody"]))
def test_the_names_of_people_do_not_matter(table, names):
    renamed = table.assign(patient_id=table["patient_id"].map({f"p{i}": name for i, name in enumerate(names)}))
    cohort, other = load_cohort(table), load_cohort(renamed, {"ids": {"alike": "different"}})
    pd.testing.assert_frame_equal(content(other), content(cohort))
    # The tables keep the order of the source, whatever the keys are.
    keys = ["patient_id", "episode_id"]
    pd.testing.assert_frame_equal(other.episodes.drop(columns=keys), cohort.episodes.drop(columns=keys))
    pd.testing.assert_frame_equal(other.flow, cohort.flow)


@settings(max_examples=20, deadline=None)
@given(trials())
def test_wide_and_long_tell_the_same(table):
    table = table[table["week"].isin([0, 4, 8])]
    if table["phq9"].notna().sum() == 0:
        return
    wide = table.pivot(index=["patient_id", "arm", "site"], columns="week", values="phq9")
    wide.columns = [f"w{week}" for week in wide.columns]
    visits = {f"v{column[1:]}": float(column[1:]) for column in wide.columns}
    mapping = {"visits": visits, "wide": {"phq9": {f"v{column[1:]}": column for column in wide.columns}}}
    columns = ["week", "value", "baseline", "arm", "site"]
    from_wide = load_cohort(wide.reset_index(), mapping).outcome("phq9", include_baseline=True)
    from_long = load_cohort(table).outcome("phq9", include_baseline=True)
    one, other = (
        frame[frame["value"].notna()][columns].astype({"arm": "str"}).sort_values(columns, ignore_index=True)
        for frame in (from_wide, from_long)
    )
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


@settings(max_examples=20, deadline=None)
@given(trials(), st.sampled_from(["mean", "lowest", "highest", "exact"]))
def test_exact_repeats_change_nothing_under_any_rule(table, rule):
    twice = pd.concat([table, table], ignore_index=True)
    mapping = {"duplicates": {"rule": rule}}
    pd.testing.assert_frame_equal(content(load_cohort(twice, mapping)), content(load_cohort(table)))


@settings(max_examples=15, deadline=None)
@given(trials())
def test_the_same_data_give_the_same_cohort(table):
    one, other = load_cohort(table), load_cohort(table.copy())
    pd.testing.assert_frame_equal(one.assessments, other.assessments)
    pd.testing.assert_frame_equal(one.patients, other.patients)
