"""A study table on one sheet of several: asked for, chosen, and run again."""

from __future__ import annotations

import pandas as pd
from click.testing import CliRunner

from ipt_outcomes.cli import main
from ipt_outcomes.simulate import studies


def test_the_sheet_is_asked_for_chosen_and_kept_for_the_next_run(tmp_path):
    book = tmp_path / "book.xlsx"
    with pd.ExcelWriter(book) as writer:
        pd.DataFrame({"note": ["a", "b"]}).to_excel(writer, sheet_name="about", index=False)
        studies(8, 1).comparisons.to_excel(writer, sheet_name="data", index=False)
    runner = CliRunner()
    arguments = ["meta", str(book), "--out", str(tmp_path / "report"), "--format", "html", "--no-grid"]
    refused = runner.invoke(main, arguments)
    assert refused.exit_code == 1
    assert "--sheet" in refused.output
    assert not (tmp_path / "report").exists()
    written = runner.invoke(main, [*arguments, "--sheet", "2"])
    assert written.exit_code == 0, written.output
    again = runner.invoke(main, ["verify", str(tmp_path / "report"), "--data", str(book)])
    assert again.exit_code == 0, again.output
