"""What may come in (the load gate) and what may be shown (the report gate)."""

from ipt_outcomes.privacy.gate import Gate, GateEntry

__all__ = ["Gate", "GateEntry"]
