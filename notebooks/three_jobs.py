# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From data to report: one trial, one clinic, one meta-analysis
#
# Everything below runs on **simulated** data that come with the package: no real person or trial is in them.
# Put your own file in the place of the simulated one, with a mapping where your columns have other names.

# %%
import tempfile
from pathlib import Path

import ipt_outcomes as ipt

folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## 1. A trial
#
# A file with one row per person and visit. `load_cohort` recognises the names of the data dictionary, refuses what it
# does not know, replaces every id, and says what it did.

# %%
table = ipt.simulate.trial_table(n=240, seed=1)
table.to_csv(folder / "trial.csv", index=False)
table.head(3)

# %%
cohort = ipt.load_cohort(folder / "trial.csv", simulated=True)
cohort

# %%
cohort.gate.to_frame()

# %% [markdown]
# ### A mixed model of symptom change
#
# `outcome` gives one row per person and visit, with the baseline as a column. Formulas are written as in R's lme4.

# %%
phq9 = cohort.outcome("phq9")
fit = ipt.mixed.lmm("phq9 ~ week * arm + baseline + (week | patient_id)", phq9)
fit

# %% [markdown]
# The difference between the arms at week 16, in PHQ-9 points (arm 1 minus arm 2, so below zero favours arm 1):

# %%
fit.contrasts("arm", at={"week": [8, 16]})

# %% [markdown]
# ### Change by interpersonal problem area
#
# Here every area was set before randomisation, so the contrast of two arms within an area is a randomised comparison.
# Where it was not, the result says so and compares within IPT only.

# %%
by_area = ipt.mixed.change_by(
    phq9,
    outcome="phq9",
    by="problem_area",
    week="week",
    subject="patient_id",
    baseline="baseline",
    arm="arm",
    arm1="ipt",
    arm2="usual_care",
    at=16,
    set_day="area_set_day",
)
print(by_area.label)
by_area.contrasts

# %% [markdown]
# ### The whole trial in one call, and its report

# %%
trial = ipt.trial.analyse(cohort, outcome="phq9")
print(trial.summary())

# %%
ipt.report.render(trial, folder / "trial-report", formats=["html"])

# %% [markdown]
# ## 2. A clinic
#
# One row per session. Rates come with numerator, denominator, who was left out, and Wilson intervals; what a report
# shows depends on who may see it.

# %%
ipt.simulate.clinic_table(n=400, seed=1).to_csv(folder / "clinic.csv", index=False)
clinic = ipt.load_cohort(folder / "clinic.csv", simulated=True)
review = ipt.clinic.review(clinic)
print(review.summary())

# %%
ipt.report.render(review, folder / "clinic-report", formats=["html"], audience="public")

# %% [markdown]
# ## 3. A meta-analysis
#
# A study table in the Metapsy standard.

# %%
studies = ipt.simulate.studies()
synthesis = ipt.evidence.synthesise(studies, by="condition_arm2")
print(synthesis.summary())

# %%
ipt.report.render(synthesis, folder / "meta-report", formats=["html"])

# %% [markdown]
# ### A trial as a row of a meta-analysis
#
# Hedges' g from the means at the end of treatment, positive when it favours arm 1 whichever way the scale runs:

# %%
ipt.effects.smd(11.2, 6.1, 40, 15.0, 6.4, 38, better="lower")
