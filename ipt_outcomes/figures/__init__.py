"""Figures: take result objects, return matplotlib Axes; nothing of pyplot is touched."""

from ipt_outcomes.figures.export import to_png, to_svg
from ipt_outcomes.figures.forest import forest
from ipt_outcomes.figures.funnel import funnel
from ipt_outcomes.figures.rates import rates
from ipt_outcomes.figures.rows import PooledLike
from ipt_outcomes.figures.summaries import Contrast, analyses, contrasts, leave_one_out
from ipt_outcomes.figures.tips import tag, tip_text
from ipt_outcomes.figures.trajectory import trajectory

__all__ = [
    "Contrast",
    "PooledLike",
    "analyses",
    "contrasts",
    "forest",
    "funnel",
    "leave_one_out",
    "rates",
    "tag",
    "tip_text",
    "to_png",
    "to_svg",
    "trajectory",
]
