"""Propose a mapping for a file or a frame."""

from __future__ import annotations

import os
from pathlib import Path

from ipt_outcomes.errors import IptError, OptionError, require_choice
from ipt_outcomes.io.cohort.source import CohortSource, read_source
from ipt_outcomes.io.propose.build import drafted
from ipt_outcomes.io.propose.facts import fact_lines
from ipt_outcomes.io.propose.folder import has_several_sheets, proposed_folder, proposed_workbook
from ipt_outcomes.io.propose.known_files import shipped_hints
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.proposal import ProposedMapping
from ipt_outcomes.io.propose.questions import layout_of, questions_of
from ipt_outcomes.io.propose.study_tables import is_study_table, proposed_studies
from ipt_outcomes.schemas import Decimal


def propose_mapping(
    source: CohortSource, *, sheet: str | int | None = None, encoding: str | None = None,
    decimal: Decimal | None = None,
) -> ProposedMapping:  # fmt: skip
    """Propose which column of a file is which name of the dictionary, for a person to look through.

    Parameters
    ----------
    source : path or DataFrame
        Patient data, long or wide, or a table of studies; or a folder with one file for each table (patients,
        episodes, sessions, assessments), with or without a ``datapackage.json``; or a workbook with a sheet for each.
    sheet : str or int, optional
        Sheet of a workbook, by its name or its number from 1; it is written into the mapping.
    encoding : str, optional
        Coding of the letters of a text file; detected otherwise.
    decimal : {".", ","}, optional
        Decimal mark of a text file; detected otherwise.

    Returns
    -------
    ProposedMapping
        Each line with how sure it is and why. What is a guess, and every column that was not recognised, waits
        under ``undecided`` in the mapping: nothing is loaded by it before a person has decided.

    Raises
    ------
    IptError
        The file cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"pid": [1, 2], "gruppe": ["IPT", "Warteliste"], "phq9_t0": [14, 18], "phq9_w12": [6, 15]})
    >>> proposal = propose_mapping(table)
    >>> proposal.to_frame()[["column", "becomes", "confidence"]].values.tolist()
    [['pid', 'patient_id', 'likely'], ['gruppe', 'arm', 'sure'], ['phq9_t0', 'phq9 at visit_0', 'sure'], \
['phq9_w12', 'phq9 at week_12', 'sure']]
    """
    if decimal is not None:
        require_choice("decimal", decimal, (".", ","))
    if isinstance(source, str | os.PathLike) and Path(os.fspath(source)).expanduser().is_dir():
        if sheet is not None:
            raise OptionError("sheet names a sheet of one workbook; a folder was given")
        return proposed_folder(Path(os.fspath(source)).expanduser(), encoding=encoding, decimal=decimal)
    try:
        raw = read_source(source, expect_rows=None, sha256=None, encoding=encoding, decimal=decimal, sheet=sheet)
    except IptError as error:
        if isinstance(source, str | os.PathLike) and has_several_sheets(error):
            return proposed_workbook(Path(os.fspath(source)).expanduser(), decimal=decimal)
        raise
    profiles = {column: Profile(raw, column) for column in raw.columns}
    if is_study_table(profiles):
        return proposed_studies(raw)
    draft = drafted(raw)
    return ProposedMapping(
        source=raw.source.name,
        kind="cohort",
        layout=layout_of(draft),
        lines=tuple(draft.lines[column] for column in raw.columns),
        codes=tuple(draft.codes),
        visits=tuple(draft.visits),
        order=draft.order,
        questions=tuple(questions_of([draft])),
        hints=shipped_hints(raw.columns, cohort=True),
        facts=tuple(fact_lines(draft)),
        counts_from_one=draft.counts_from_one,
        numbers_sessions=draft.numbers_sessions,
        sheet=sheet,
    )
