"""Selection models."""

from ipt_outcomes.meta.selection.model import SelectionModel, selection_model

__all__ = ["SelectionModel", "selection_model"]
