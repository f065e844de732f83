"""Network meta-analysis."""

from ipt_outcomes.meta.network.network import network
from ipt_outcomes.meta.network.result import NetworkEffect

__all__ = ["NetworkEffect", "network"]
