"""Errors and shipped files."""

from __future__ import annotations

import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import ConvergenceError, DataError, DesignError, IptError, OptionError
from ipt_outcomes.resources import shipped


@pytest.mark.parametrize("kind", [DataError, DesignError, ConvergenceError, OptionError])
def test_every_error_has_one_base_and_says_where_and_how_to_go_on(kind: type[IptError]) -> None:
    error = kind("what was found", rows=[3, 5], column="n_arm1", hint="do this")
    assert isinstance(error, ipt.IptError)
    assert str(error) == "what was found\ndo this"
    assert (error.rows, error.column, error.hint) == ((3, 5), "n_arm1", "do this")


@pytest.mark.parametrize(
    "parts", [("data_schemas", "no-such.json"), ("data_schemas", "..", "..", "etc"), ("..", "shared")]
)
def test_only_what_ships_is_found(parts: tuple[str, ...]) -> None:
    with pytest.raises(IptError, match="not part of this installation"):
        shipped(*parts)


def test_every_public_name_can_be_imported() -> None:
    for name in ipt.__all__:
        assert getattr(ipt, name) is not None
    with pytest.raises(AttributeError):
        ipt.nothing  # noqa: B018
