"""The form of IPT out of the name of an arm: "IPT-A" is the arm IPT in the form for adolescents."""

from __future__ import annotations

from ipt_outcomes.io.cohort.cells import same_code
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.reader import Reader
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.vocabulary import adaptation_of


def add_adaptations(reader: Reader, columns: Columns, values: Values) -> None:
    """Keep the form of IPT that the names of the arms say, where no column and no constant says it.

    Parameters
    ----------
    reader : Reader
    columns : Columns
    values : Values
        Takes ``adaptation``; unchanged where no arm names a form.
    """
    source = columns.source_of("arm")
    if source is None or "adaptation" in values.texts:
        return
    given = {same_code(written): code for written, code in reader.plan.codes_of("arm").items()}
    labels = reader.labels(source)
    told: dict[str, str] = {}

    def form(text: str) -> str | None:
        key = same_code(text)
        for name in (given.get(key), labels.get(key), text):
            found = adaptation_of(name)
            if found is not None:
                told[text] = found.value
                return found.value
        return None

    texts = reader.texts(source).mapped(form)
    if told:
        values.texts["adaptation"] = texts
        said = ", ".join(sorted(f"{code}" for code in set(told.values())))
        values.notes.append(f"{source}: the names of the arms say the form of IPT, kept as adaptation: {said}")
