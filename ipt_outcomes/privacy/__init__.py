"""What may come in (the load gate) and what may be shown (the report gate).

Report gate, for a job that makes result rows::

    from ipt_outcomes.privacy import Audience, Derived, Implied, Modelled, Sum, describe, part_of, protect

    links = [
        Sum(total_id, (part_id, part_id, Implied("not known"))),   # rows of unit "people"; total = sum of parts
        part_of(randomised_id, completed_id),                      # nested counts: the difference is a count too
        Sum(n_in_table_1, (n_in_table_2,)),                        # two rows count the same people
        Derived((or_id, or_low_id, or_high_id, p_id), (events1_id, totaln1_id, events2_id, totaln2_id)),
        Modelled((estimate_id, ci_low_id, ci_high_id), (n_arm1_id, n_arm2_id)),
        Fine((median_id,)),                                        # left out where small counts are hidden
        Printed((mean_id, sd_id), 1),                              # there without digits that give numbers back
    ]
    seen = protect(results, links, audience="public")              # -> Results, same ids, hidden rows suppressed

Found without a link: a percentage with its denominator (numerator, complement, limits in the same analysis and
groups), and a row of counts whose levels add up to the row without that variable. `describe(audience)` is the
sentence for the page, `hidden_counts(seen)` the number for it.
"""

from ipt_outcomes.privacy.analysis import ProtectedAnalysis, Recorded
from ipt_outcomes.privacy.audience import Audience, AudienceRule, audience_rule, describe
from ipt_outcomes.privacy.gate import Gate, GateEntry
from ipt_outcomes.privacy.links import Count, Derived, Fine, Implied, Kinds, Link, Modelled, Printed, Sum, part_of
from ipt_outcomes.privacy.protect import hidden_counts, protect

__all__ = [
    "Audience",
    "AudienceRule",
    "Count",
    "Derived",
    "Fine",
    "Gate",
    "GateEntry",
    "Implied",
    "Kinds",
    "Link",
    "Modelled",
    "Printed",
    "ProtectedAnalysis",
    "Recorded",
    "Sum",
    "audience_rule",
    "describe",
    "hidden_counts",
    "part_of",
    "protect",
]
