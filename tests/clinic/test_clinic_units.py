"""Sites and therapists against their case mix: as `case_mix` says, in order of name, for the service only."""

from __future__ import annotations

import pytest

from ipt_outcomes.clinic import review
from ipt_outcomes.clinic.service.units import MIN_CASELOAD
from ipt_outcomes.report.clinic import clinic_document
from ipt_outcomes.report.document import Figure, Table
from ipt_outcomes.simulate import clinic as simulated


@pytest.fixture(scope="module")
def reviewed():
    return review(simulated(200, seed=6))


def test_units_add_up_and_are_as_expected_together(reviewed):
    assert {units.by for units in reviewed.units} == {"site", "therapist"}
    for units in reviewed.units:
        table = units.compared.units
        assert table["observed"].sum() == pytest.approx(table["expected"].sum(), rel=1e-6)
        everyone = reviewed.rates.iloc[0]
        assert table["n"].sum() == everyone["denominator"]
        assert table["observed"].sum() == everyone["numerator"]


def test_units_stand_in_order_of_name_and_small_ones_are_not_shown(reviewed):
    for units in reviewed.units:
        assert list(units.shown) == sorted(units.shown)
        small = units.compared.units[units.compared.units["n"] < MIN_CASELOAD]
        assert units.n_small == len(small)
        assert not set(units.shown) & set(small["unit"])
        for unit in units.shown:
            row = reviewed.results.find("unit", "observed", {"by": units.by, "unit": unit})
            assert row.value == units.compared.units.set_index("unit").loc[unit, "observed"]


def test_a_clinic_with_two_sites_compares_none(make_cohort):
    courses = [{"phq9": [15, 5 + number % 9], "sessions": 3, "site": "north"} for number in range(40)]
    assert review(make_cohort(courses)).units == ()


@pytest.mark.parametrize("audience", ["board", "public"])
def test_no_unit_leaves_the_service(reviewed, audience):
    assert all(row.suppressed for row in reviewed.protected(audience) if row.analysis == "unit")
    document = clinic_document(reviewed, audience=audience)
    ids = [block.id for block in document.blocks if isinstance(block, Figure)]
    ids += [block.spec.id for block in document.blocks if isinstance(block, Table)]
    assert not [name for name in ids if name.startswith("units-")]


def test_the_internal_report_draws_each_unit(reviewed):
    document = clinic_document(reviewed, audience="internal")
    figures = {block.id: block for block in document.blocks if isinstance(block, Figure)}
    assert {"units-site", "units-therapist"} <= set(figures)
    for units in reviewed.units:
        assert f"{len(units.shown)} {units.by}s" in figures[f"units-{units.by}"].alt
