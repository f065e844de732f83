"""Rates by what is known of people: counted rightly, and for the service's own eyes only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipt_outcomes.clinic import review
from ipt_outcomes.report.clinic import clinic_document
from ipt_outcomes.report.document import Heading, Paragraph, Table
from ipt_outcomes.simulate import clinic as simulated


@pytest.fixture(scope="module")
def reviewed():
    return review(simulated(200, seed=3))


def find(result, statistic, **groups):
    return result.results.find("view", statistic, groups).value


def test_groups_of_a_view_add_up_to_everyone(reviewed):
    measure = reviewed.measures[0]
    for view in reviewed.views:
        ended = sum(find(reviewed, "ended", view=view.name, group=level) for level in view.levels)
        assert ended <= reviewed.results.find("courses", "ended", {}).value
        for rate in measure.headline:
            parts = [
                {"view": view.name, "group": level, "measure": measure.name, "rate": rate} for level in view.levels
            ]
            whole = reviewed.rates[
                (reviewed.rates["measure"] == measure.name)
                & (reviewed.rates["rate"] == rate)
                & (reviewed.rates["rule"] == "completers")
                & (reviewed.rates["problem_area"] == "all")
            ].iloc[0]
            if view.name == "sessions_attended" or "unknown" in view.levels or ended == find_all(reviewed):
                assert sum(find(reviewed, "numerator", **part) for part in parts) == whole["numerator"]
                assert sum(find(reviewed, "denominator", **part) for part in parts) == whole["denominator"]


def find_all(result):
    return result.results.find("courses", "ended", {}).value


def test_the_views_there_are_follow_the_data(reviewed, make_cohort):
    names = {view.name for view in reviewed.views}
    assert {"phase_reached", "format", "population", "sex", "sessions_attended"} <= names
    assert "problem_area_primary" not in names, "the review compares by it already"
    bare = review(make_cohort([{"phq9": [15, 5], "sessions": 3}] * 4))
    assert bare.views == ()


def test_phase_reached_is_the_furthest_attended(make_cohort):
    cohort = make_cohort([{"phq9": [15, 5], "sessions": 3}, {"phq9": [15, 5], "sessions": 3}])
    phases = ["initial", "middle", "termination", "initial", "initial", "middle"]
    sessions = cohort.sessions.assign(phase=phases, attended=["attended"] * 5 + ["dna"])
    view = next(v for v in review(replace(cohort, sessions=sessions)).views if v.name == "phase_reached")
    assert view.level.tolist() == ["termination", "initial"]


@pytest.mark.parametrize("audience", ["board", "public"])
def test_no_number_of_a_view_leaves_the_service(reviewed, audience):
    shown = [row for row in reviewed.protected(audience) if row.analysis == "view"]
    assert shown
    assert all(row.suppressed and row.value is None for row in shown)
    blocks = clinic_document(reviewed, audience=audience).blocks
    assert not [block for block in blocks if isinstance(block, Table) and block.spec.id.startswith("view-")]
    place = next(i for i, block in enumerate(blocks) if isinstance(block, Heading) and block.anchor == "views")
    assert isinstance(blocks[place + 1], Paragraph)


def test_the_internal_report_has_a_table_for_each(reviewed):
    tables = [
        block.spec.id for block in clinic_document(reviewed, audience="internal").blocks if isinstance(block, Table)
    ]
    assert [name for name in tables if name.startswith("view-")]
    assert len([name for name in tables if name.startswith("view-")]) == len(reviewed.views)
