"""The interpersonal problem area, by the names accounts of IPT give it."""

from __future__ import annotations

import re

from ipt_outcomes.vocabulary.codes import ProblemArea
from ipt_outcomes.vocabulary.languages import ambiguous_names, names_in_other_languages
from ipt_outcomes.vocabulary.spelling import bare

# Each list is separated by |; names are in small letters, hyphens as blanks (see spelling.plain).
_ALIASES = {
    ProblemArea.GRIEF: "grief|griefs|grieving|complicated grief|prolonged grief|unresolved grief|grief and loss|"
    "grief & loss|grief/loss|loss|bereavement|complicated bereavement|unresolved bereavement|mourning|"
    "grief and bereavement|grief/bereavement|delayed grief|distorted grief|abnormal grief|pathological grief|"
    "grief reaction|complicated grief reaction|bereavement reaction|death of a loved one|prolonged grief disorder",
    ProblemArea.ROLE_DISPUTE: "role dispute|role disputes|interpersonal dispute|interpersonal disputes|"
    "interpersonal role dispute|interpersonal role disputes|dispute|disputes|relational conflict|"
    "relational conflicts|relationship conflict|relationship conflicts|relationship dispute|"
    "relationship disputes|interpersonal conflict|interpersonal conflicts|role conflict|role conflicts|conflict|"
    "conflicts|marital dispute|marital disputes|marital conflict|family conflict|"
    "conflict with a significant other|role disagreement|relational dispute|relational disputes|couple conflict|"
    "marital discord|conflict in a relationship|interpersonal role conflict",
    ProblemArea.ROLE_TRANSITION: "role transition|role transitions|transition|transitions|life change|life changes|"
    "major life change|change in life role|social role transition|life role transition|transition of role|"
    "life transition|life transitions|role change|role changes|change of role|change in role",
    ProblemArea.INTERPERSONAL_DEFICITS: "interpersonal deficit|interpersonal deficits|interpersonal sensitivity|"
    "interpersonal sensitivities|loneliness|social isolation|isolation|interpersonal isolation|deficit|deficits|"
    "social deficit|social deficits|loneliness and isolation|loneliness and social isolation|"
    "isolation and loneliness|interpersonal deficits and sensitivities|sensitivity|sensitivities|lonely|"
    "loneliness and sensitivity|interpersonal gaps|social impoverishment",
    ProblemArea.NONE_SET: "none set|none|no area|no area set|not set|not yet set|no problem area|"
    "no problem area set|no focus|no focus set",
}
AREA_NAMES = {name: area for area, names in _ALIASES.items() for name in names.split("|")}
AREA_NAMES |= {name: ProblemArea(code) for name, code in names_in_other_languages("ProblemArea").items()}
_BETWEEN = re.compile(r"\s*(?:/|;|,|&|\+|\b(?:and|or|und|oder|en|of|y|o|e|ou)\b)\s*")

_AMBIGUOUS = re.compile(
    r"adjustment (difficult(y|ies)|problems?|issues?|disorders?|reactions?)|(difficulties|problems?) (with|of|in) "
    r"adjustment|adjustment|life (events?|stress(ors?)?)"
)


def area_of(text: object) -> ProblemArea | None:
    """Recognise a problem area.

    Parameters
    ----------
    text : object
        As a file writes it; missing values give None.

    Returns
    -------
    ProblemArea or None
        None where the text is not recognised, names two areas, or is ambiguous (see `ambiguous_area`): an area
        is never guessed.

    Examples
    --------
    >>> area_of("Role_Disputes"), area_of("complicated bereavement"), area_of("social isolation / loneliness")
    (<ProblemArea.ROLE_DISPUTE: 'role_dispute'>, <ProblemArea.GRIEF: 'grief'>, \
<ProblemArea.INTERPERSONAL_DEFICITS: 'interpersonal_deficits'>)
    >>> area_of("adjustment difficulties") is None
    True
    """
    found = _areas_in(text)
    return next(iter(found)) if len(found) == 1 and None not in found else None


def ambiguous_area(text: object) -> str | None:
    """Say why a problem area has to be asked for.

    Parameters
    ----------
    text : object
        What `area_of` did not recognise.

    Returns
    -------
    str or None
        A sentence for a message; None where the text is not known to be ambiguous.

    Examples
    --------
    >>> ambiguous_area("adjustment difficulties")
    'it may be a role transition, or grief, a role dispute or deficits that came with the change: say which code it is \
(role_transition, grief, role_dispute, interpersonal_deficits)'
    >>> ambiguous_area("grief / role dispute")
    'it names two areas (grief, role_dispute): one is problem_area_primary, the other problem_area_secondary'
    """
    if not isinstance(text, str):
        return None
    if _AMBIGUOUS.fullmatch(bare(text)) or bare(text) in ambiguous_names():
        return (
            "it may be a role transition, or grief, a role dispute or deficits that came with the change: "
            "say which code it is (role_transition, grief, role_dispute, interpersonal_deficits)"
        )
    found = sorted(area.value for area in _areas_in(text) if area is not None)
    if len(found) > 1:
        count = {2: "two", 3: "three"}.get(len(found), str(len(found)))
        more = "one is problem_area_primary, the other problem_area_secondary"
        return f"it names {count} areas ({', '.join(found)}): {more if len(found) == 2 else 'say which is the primary'}"
    return None


def _areas_in(text: object) -> set[ProblemArea | None]:
    """Areas a text names; None among them for a part that is none."""
    if not isinstance(text, str):
        return set()
    name = bare(text)
    if name in AREA_NAMES:
        return {AREA_NAMES[name]}
    inside = re.findall(r"\(([^)]*)\)", name)
    outside = re.sub(r"\s+", " ", re.sub(r"\([^)]*\)", " ", name)).strip()
    found: set[ProblemArea | None] = set()
    if outside in AREA_NAMES:
        found.add(AREA_NAMES[outside])
    else:
        found |= {AREA_NAMES.get(part) for part in _BETWEEN.split(outside)}
    # What stands in brackets explains ("role transition (job loss)"), unless it is the name of an area itself.
    return found | {AREA_NAMES[part.strip()] for part in inside if part.strip() in AREA_NAMES}
