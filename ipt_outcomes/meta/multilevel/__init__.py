"""Several effects per study: likelihood in blocks, robust standard errors."""

from ipt_outcomes.meta.multilevel.model import multilevel
from ipt_outcomes.meta.multilevel.result import MultilevelEffect

__all__ = ["MultilevelEffect", "multilevel"]
