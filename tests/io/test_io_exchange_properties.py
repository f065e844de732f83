"""Whatever a cohort holds comes back from its folder; ADaM data sets keep their own rules whatever the cohort."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.exchange import adam_tables, read_saved, save_cohort
from ipt_outcomes.io.exchange.tables import from_parquet, table_schema, to_parquet
from ipt_outcomes.io.guarded import read_columns, reading_session

QUICK = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module", autouse=True)
def one_child():
    with reading_session() as session:
        yield session


TEXT = st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs",)), max_size=8))
WHOLE = st.integers(-(2**62), 2**62)
COLUMNS = {
    "string": TEXT.map(lambda cell: pd.NA if cell is None else cell),
    "str": TEXT.map(lambda cell: np.nan if cell is None else cell),
    "object": TEXT,
    "bool": st.booleans(),
    "boolean": st.one_of(st.none(), st.booleans()),
    "int64": WHOLE,
    "Int64": st.one_of(st.none(), WHOLE),
    "float64": st.floats(allow_nan=True, allow_infinity=True),
    "float32": st.floats(width=32, allow_nan=True),
}


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 6))
    columns = {}
    for place, dtype in enumerate(draw(st.lists(st.sampled_from([*COLUMNS, "category"]), min_size=1, max_size=5))):
        if dtype == "category":
            levels = draw(st.lists(st.text("abcdé ", max_size=3), min_size=1, max_size=4, unique=True))
            codes = draw(st.lists(st.integers(-1, len(levels) - 1), min_size=rows, max_size=rows))
            cells = pd.Categorical.from_codes(codes, pd.Index(levels, dtype="str"), ordered=draw(st.booleans()))
            columns[f"x{place}"] = pd.Series(cells)
        else:
            cells = draw(st.lists(COLUMNS[dtype], min_size=rows, max_size=rows))
            columns[f"x{place}"] = pd.Series(cells, dtype=dtype)
    return pd.DataFrame(columns, index=pd.RangeIndex(rows))


@QUICK
@given(frames())
def test_any_frame_comes_back(tmp_path, frame):
    path = tmp_path / "t.parquet"
    path.write_bytes(to_parquet(frame))
    assert path.read_bytes() == to_parquet(frame)
    back = from_parquet(read_columns(path), table_schema("t", frame), "t")
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    for name in frame:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            assert list(back[name].cat.categories) == list(frame[name].cat.categories)


@st.composite
def trials(draw):
    rows = []
    for person in range(draw(st.integers(1, 5))):
        arm = draw(st.sampled_from(["ipt", "usual_care"]))
        area = draw(st.sampled_from(["grief", "role_dispute", None]))
        for week in draw(st.lists(st.integers(-3, 20), min_size=1, max_size=5, unique=True)):
            score = draw(st.one_of(st.none(), st.integers(0, 27)))
            rows.append({"patient_id": f"p{person}", "week": week, "arm": arm, "problem_area": area, "phq9": score})
    frame = pd.DataFrame(rows)
    return frame if frame["phq9"].notna().any() else frame.assign(phq9=9)


@QUICK
@given(trials())
def test_any_trial_comes_back(tmp_path_factory, table):
    cohort = load_cohort(table)
    back = read_saved(save_cohort(cohort, tmp_path_factory.mktemp("saved") / "cohort", rows_for="own_team"))
    for name in ("patients", "episodes", "sessions", "assessments", "flow"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(cohort, name), check_exact=True)
    assert (back.gate, back.source, back.notes) == (cohort.gate, cohort.source, cohort.notes)


@QUICK
@given(trials())
def test_rules_of_adam(table):
    cohort = load_cohort(table)
    tables = adam_tables(cohort)
    adqs = tables.adqs
    scores = cohort.assessments[cohort.assessments["item"].eq(0) & cohort.assessments["value"].notna()]
    assert sorted(adqs["AVAL"].dropna()) == sorted(scores["value"])
    assert tables.adsl["USUBJID"].is_unique
    assert set(adqs["USUBJID"]) <= set(tables.adsl["USUBJID"])
    # There is no day 0: the first day is 1, the one before -1.
    assert not adqs["ADY"].eq(0).any() if "ADY" in adqs else True
    if "ABLFL" in adqs:
        flagged = adqs[adqs["ABLFL"].eq("Y")]
        assert not flagged.duplicated(["USUBJID", "PARAMCD"]).any()
        assert (flagged["AVAL"] == flagged["BASE"]).all()
    if "CHG" in adqs:
        known = adqs.dropna(subset=["CHG"])
        assert (known["CHG"] == known["AVAL"] - known["BASE"]).all()
    if len(tables.adtte):
        # 0 is the event; numbers above it say why there is none.
        assert (tables.adtte["CNSR"] >= 0).all()
        assert (tables.adtte["AVAL"] >= 0).all()
        assert not tables.adtte.duplicated(["USUBJID", "PARAMCD"]).any()


@QUICK
@given(trials(), st.randoms(use_true_random=False))
def test_the_order_of_rows_gives_the_same_scores(table, random):
    order = list(range(len(table)))
    random.shuffle(order)

    def content(frame):
        adqs = adam_tables(load_cohort(frame)).adqs
        kept = [name for name in ("PARAMCD", "AVISITN", "ADY", "AVAL", "BASE", "CHG", "ABLFL", "TRTP") if name in adqs]
        return adqs[kept].sort_values(kept, kind="stable", ignore_index=True)

    pd.testing.assert_frame_equal(content(table.iloc[order].reset_index(drop=True)), content(table))
