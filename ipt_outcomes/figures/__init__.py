"""Figures: take result objects, return matplotlib Axes; nothing of pyplot is touched."""

from ipt_outcomes.figures.bias_bars import risk_of_bias_summary
from ipt_outcomes.figures.bias_risk import risk_of_bias
from ipt_outcomes.figures.bubble import bubble
from ipt_outcomes.figures.caterpillar import caterpillar
from ipt_outcomes.figures.change import change_scatter, waterfall
from ipt_outcomes.figures.drapery import drapery
from ipt_outcomes.figures.export import to_png, to_svg
from ipt_outcomes.figures.forest import forest
from ipt_outcomes.figures.funnel import funnel
from ipt_outcomes.figures.influence import influence
from ipt_outcomes.figures.league import league, ranking
from ipt_outcomes.figures.nested import nested_forest
from ipt_outcomes.figures.network import network
from ipt_outcomes.figures.prisma import prisma
from ipt_outcomes.figures.rates import rates
from ipt_outcomes.figures.rows import PooledLike
from ipt_outcomes.figures.scatter import baujat
from ipt_outcomes.figures.service import control_chart, survival, unit_estimates, unit_funnel
from ipt_outcomes.figures.specification import specification_curve
from ipt_outcomes.figures.stepwise import cumulative, leave_one_out
from ipt_outcomes.figures.summaries import Contrast, analyses, contrasts
from ipt_outcomes.figures.tips import tag, tip_text
from ipt_outcomes.figures.trajectory import trajectory

__all__ = [
    "Contrast",
    "PooledLike",
    "analyses",
    "baujat",
    "bubble",
    "caterpillar",
    "change_scatter",
    "contrasts",
    "control_chart",
    "cumulative",
    "drapery",
    "forest",
    "funnel",
    "influence",
    "league",
    "leave_one_out",
    "nested_forest",
    "network",
    "prisma",
    "ranking",
    "rates",
    "risk_of_bias",
    "risk_of_bias_summary",
    "specification_curve",
    "survival",
    "tag",
    "tip_text",
    "to_png",
    "to_svg",
    "trajectory",
    "unit_estimates",
    "unit_funnel",
    "waterfall",
]
