"""Sums of products per group of rows: all that a mixed model needs to know of the rows, once."""

from ipt_outcomes.sums.groups import Groups
from ipt_outcomes.sums.products import GroupSums, SumsProvider, packed_index, sums_of_products

__all__ = ["GroupSums", "Groups", "SumsProvider", "packed_index", "sums_of_products"]
