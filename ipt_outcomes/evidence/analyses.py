"""Names of the analyses of a battery, in the order a table shows them, and their words."""

from __future__ import annotations

from collections.abc import Mapping

# The main analysis under other estimators and choices of rows.
SENSITIVITY: dict[str, str] = {
    "reml_z": "REML, normal intervals",
    "dl_z": "DerSimonian-Laird, normal intervals",
    "pm_knapp_hartung": "Paule-Mandel, Knapp-Hartung",
    "knapp_hartung_adhoc": "REML, Knapp-Hartung with factor at least 1 (ad hoc)",
    "common": "One common effect (no between-study variance)",
    "lowest": "Lowest effect of each study",
    "highest": "Highest effect of each study",
}
MULTILEVEL: dict[str, str] = {
    "three_level": "Three-level model, robust standard errors (CR2)",
    "che": "Correlated and hierarchical effects, robust standard errors (CR2)",
}
REMOVAL: dict[str, str] = {
    "outliers_removed": "Without outliers",
    "outliers_removed_rows": "Without outliers, rows as if independent (naive)",
    "influence_removed": "Without influential studies",
}
LOW_RISK: dict[str, str] = {
    "low_risk": "Low risk of bias, one combined effect per study",
    "low_risk_rows": "Low risk of bias, rows as if independent (naive)",
}
BIAS: dict[str, str] = {
    "trim_and_fill": "Trim and fill",
    "limit": "Limit meta-analysis",
    "selection": "Selection model (step at one-sided p 0.025)",
    "pet": "PET",
    "peese": "PEESE",
    "pet_peese": "PET-PEESE, the one taken",
    "waap": "WAAP-WLS",
}
# Every pooled effect of a battery, in the order of the one table.
ANALYSES: Mapping[str, str] = {
    "combined": "All studies, one combined effect each (main analysis)",
    "all_rows": "All rows as if independent (naive)",
    "lowest": SENSITIVITY["lowest"],
    "highest": SENSITIVITY["highest"],
    **MULTILEVEL,
    **REMOVAL,
    **LOW_RISK,
    **{name: words for name, words in SENSITIVITY.items() if name not in {"lowest", "highest"}},
    **BIAS,
    **{f"{name}_rows": f"{words}, rows as if independent (naive)" for name, words in BIAS.items()},
}
