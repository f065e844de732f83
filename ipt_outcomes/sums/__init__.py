"""Sums of products per group of rows: all that a mixed model needs to know of the rows, once."""

from ipt_outcomes.sums.groups import Groups, steady_sum
from ipt_outcomes.sums.lacking import MOST_LACKING, too_many_lack
from ipt_outcomes.sums.products import GroupSums, Shifted, SumsProvider, packed_index, sums_of_products

__all__ = [
    "MOST_LACKING",
    "GroupSums",
    "Groups",
    "Shifted",
    "SumsProvider",
    "packed_index",
    "steady_sum",
    "sums_of_products",
    "too_many_lack",
]
