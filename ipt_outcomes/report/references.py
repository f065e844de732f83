"""The works the methods sections cite: each once, for every report."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_outcomes.report.document import Reference, References

WORKS: dict[str, Reference] = {
    "hedges": Reference(
        "Hedges (1981). Distribution theory for Glass's estimator of effect size and related estimators. "
        "Journal of Educational Statistics, 6(2), 107–128.",
        "10.3102/10769986006002107",
    ),
    "chinn": Reference(
        "Chinn (2000). A simple method for converting an odds ratio to effect size for use in meta-analysis. "
        "Statistics in Medicine, 19(22), 3127–3131.",
        "10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M",
    ),
    "sweeting": Reference(
        "Sweeting, Sutton & Lambert (2004). What to add to nothing? Use and avoidance of continuity corrections in "
        "meta-analysis of sparse data. Statistics in Medicine, 23(9), 1351–1375.",
        "10.1002/sim.1761",
    ),
    "reml": Reference(
        "Viechtbauer (2005). Bias and efficiency of meta-analytic variance estimators in the random-effects model. "
        "Journal of Educational and Behavioral Statistics, 30(3), 261–293.",
        "10.3102/10769986030003261",
    ),
    "dl": Reference(
        "DerSimonian & Laird (1986). Meta-analysis in clinical trials. Controlled Clinical Trials, 7(3), 177–188.",
        "10.1016/0197-2456(86)90046-2",
    ),
    "pm": Reference(
        "Paule & Mandel (1982). Consensus values and weighting factors. Journal of Research of the National Bureau of "
        "Standards, 87(5), 377–385.",
        "10.6028/jres.087.022",
    ),
    "knapp": Reference(
        "Knapp & Hartung (2003). Improved tests for a random effects meta-regression with a single covariate. "
        "Statistics in Medicine, 22(17), 2693–2710.",
        "10.1002/sim.1482",
    ),
    "adhoc": Reference(
        "Röver, Knapp & Friede (2015). Hartung-Knapp-Sidik-Jonkman approach and its modification for random-effects "
        "meta-analysis with few studies. BMC Medical Research Methodology, 15, 99.",
        "10.1186/s12874-015-0091-1",
    ),
    "i2": Reference(
        "Higgins & Thompson (2002). Quantifying heterogeneity in a meta-analysis. Statistics in Medicine, 21(11), "
        "1539–1558.",
        "10.1002/sim.1186",
    ),
    "qprofile": Reference(
        "Viechtbauer (2007). Confidence intervals for the amount of heterogeneity in meta-analysis. Statistics in "
        "Medicine, 26(1), 37–52.",
        "10.1002/sim.2514",
    ),
    "prediction": Reference(
        "Higgins, Thompson & Spiegelhalter (2009). A re-evaluation of random-effects meta-analysis. Journal of the "
        "Royal Statistical Society A, 172(1), 137–159.",
        "10.1111/j.1467-985X.2008.00552.x",
    ),
    "borenstein": Reference(
        "Borenstein, Hedges, Higgins & Rothstein (2009). Introduction to Meta-Analysis, chapter 24: Multiple outcomes "
        "or time-points within a study. Wiley.",
        "10.1002/9780470743386",
    ),
    "egger": Reference(
        "Egger, Davey Smith, Schneider & Minder (1997). Bias in meta-analysis detected by a simple, graphical test. "
        "BMJ, 315, 629–634.",
        "10.1136/bmj.315.7109.629",
    ),
    "funnel": Reference(
        "Peters, Sutton, Jones, Abrams & Rushton (2008). Contour-enhanced meta-analysis funnel plots help distinguish "
        "publication bias from other causes of asymmetry. Journal of Clinical Epidemiology, 61(10), 991–996.",
        "10.1016/j.jclinepi.2007.11.010",
    ),
    "che": Reference(
        "Pustejovsky & Tipton (2022). Meta-analysis with robust variance estimation: expanding the range of working "
        "models. Prevention Science, 23, 425–438.",
        "10.1007/s11121-021-01246-3",
    ),
    "cr2": Reference(
        "Tipton (2015). Small sample adjustments for robust variance estimation with meta-regression. Psychological "
        "Methods, 20(3), 375–393.",
        "10.1037/met0000011",
    ),
    "influence": Reference(
        "Viechtbauer & Cheung (2010). Outlier and influence diagnostics for meta-analysis. Research Synthesis Methods, "
        "1(2), 112–125.",
        "10.1002/jrsm.11",
    ),
    "baujat": Reference(
        "Baujat, Mahé, Pignon & Hill (2002). A graphical method for exploring heterogeneity in meta-analyses. "
        "Statistics in Medicine, 21(18), 2641–2652.",
        "10.1002/sim.1221",
    ),
    "begg": Reference(
        "Begg & Mazumdar (1994). Operating characteristics of a rank correlation test for publication bias. "
        "Biometrics, 50(4), 1088–1101.",
        "10.2307/2533446",
    ),
    "trimfill": Reference(
        "Duval & Tweedie (2000). Trim and fill: a simple funnel-plot-based method of testing and adjusting for "
        "publication bias in meta-analysis. Biometrics, 56(2), 455–463.",
        "10.1111/j.0006-341X.2000.00455.x",
    ),
    "limit": Reference(
        "Rücker, Schwarzer, Carpenter, Binder & Schumacher (2011). Treatment-effect estimates adjusted for small-study "
        "effects via a limit meta-analysis. Biostatistics, 12(1), 122–142.",
        "10.1093/biostatistics/kxq046",
    ),
    "selection": Reference(
        "Vevea & Hedges (1995). A general linear model for estimating effect size in the presence of publication bias. "
        "Psychometrika, 60(3), 419–435.",
        "10.1007/BF02294384",
    ),
    "petpeese": Reference(
        "Stanley & Doucouliagos (2014). Meta-regression approximations to reduce publication selection bias. Research "
        "Synthesis Methods, 5(1), 60–78.",
        "10.1002/jrsm.1095",
    ),
    "waap": Reference(
        "Stanley, Doucouliagos & Ioannidis (2017). Finding the power to reduce publication bias. Statistics in "
        "Medicine, 36(10), 1580–1598.",
        "10.1002/sim.7228",
    ),
    "furukawa": Reference(
        "Furukawa & Leucht (2011). How to obtain NNT from Cohen's d: comparison of two methods. PLoS ONE, 6(4), "
        "e19070.",
        "10.1371/journal.pone.0019070",
    ),
    "kraemer": Reference(
        "Kraemer & Kupfer (2006). Size of treatment effects and their importance to clinical research and practice. "
        "Biological Psychiatry, 59(11), 990–996.",
        "10.1016/j.biopsych.2005.09.014",
    ),
    "specification": Reference(
        "Simonsohn, Simmons & Nelson (2020). Specification curve analysis. Nature Human Behaviour, 4, 1208–1214.",
        "10.1038/s41562-020-0912-z",
    ),
    "rob2": Reference(
        "Sterne, Savović, Page and others (2019). RoB 2: a revised tool for assessing risk of bias in randomised "
        "trials. BMJ, 366, l4898.",
        "10.1136/bmj.l4898",
    ),
    "grade": Reference(
        "Guyatt, Oxman, Vist and others (2008). GRADE: an emerging consensus on rating quality of evidence and "
        "strength of recommendations. BMJ, 336, 924–926.",
        "10.1136/bmj.39489.470347.AD",
    ),
    "prisma": Reference(
        "Page, McKenzie, Bossuyt and others (2021). The PRISMA 2020 statement: an updated guideline for reporting "
        "systematic reviews. BMJ, 372, n71.",
        "10.1136/bmj.n71",
    ),
    "wilson": Reference(
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. Journal of the American "
        "Statistical Association, 22(158), 209–212.",
        "10.1080/01621459.1927.10502953",
    ),
    "jacobson": Reference(
        "Jacobson & Truax (1991). Clinical significance: a statistical approach to defining meaningful change in "
        "psychotherapy research. Journal of Consulting and Clinical Psychology, 59(1), 12–19.",
        "10.1037/0022-006X.59.1.12",
    ),
    "clark": Reference(
        "Clark (2018). Realizing the mass public benefit of evidence-based psychological therapies: the IAPT program. "
        "Annual Review of Clinical Psychology, 14, 159–183.",
        "10.1146/annurev-clinpsy-050817-084833",
    ),
    "hiding": Reference(
        "Fischetti & Salazar (2001). Solving the cell suppression problem on tabular data with linear constraints. "
        "Management Science, 47(7), 1008–1027.",
        "10.1287/mnsc.47.7.1008.9805",
    ),
    "laird": Reference(
        "Laird & Ware (1982). Random-effects models for longitudinal data. Biometrics, 38(4), 963–974.",
        "10.2307/2529876",
    ),
    "satterthwaite": Reference(
        "Satterthwaite (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin, "
        "2(6), 110–114.",
        "10.2307/3002019",
    ),
    "feingold": Reference(
        "Feingold (2009). Effect sizes for growth-modeling analysis for controlled clinical trials in the same metric "
        "as for classical analysis. Psychological Methods, 14(1), 43–53.",
        "10.1037/a0014699",
    ),
    "newcombe": Reference(
        "Newcombe (1998). Interval estimation for the difference between independent proportions: comparison of eleven "
        "methods. Statistics in Medicine, 17(8), 873–890.",
        "10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I",
    ),
    "woolf": Reference(
        "Woolf (1955). On estimating the relation between blood group and disease. Annals of Human Genetics, 19(4), "
        "251–253.",
        "10.1111/j.1469-1809.1955.tb01348.x",
    ),
    "austin": Reference(
        "Austin (2009). Balance diagnostics for comparing the distribution of baseline covariates between treatment "
        "groups in propensity-score matched samples. Statistics in Medicine, 28(25), 3083–3107.",
        "10.1002/sim.3697",
    ),
    "holm": Reference(
        "Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics, "
        "6(2), 65–70.",
    ),
    "morris": Reference(
        "Morris (1983). Parametric empirical Bayes inference: theory and applications. Journal of the American "
        "Statistical Association, 78(381), 47–55.",
        "10.1080/01621459.1983.10477920",
    ),
}


def cited(used: Mapping[str, bool]) -> References:
    """Return the works that were used, in the order given; `used` has keys of `WORKS`."""
    return References(tuple(WORKS[key] for key, use in used.items() if use))
