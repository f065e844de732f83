"""Every figure of a meta-analysis: nothing cut, nothing touching, the same bytes twice, on a page and on a phone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes import figures, meta
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.evidence.flow import STAGES, read_flow

LONG = ("Interpersonal psychotherapy for depressed adolescents in school-based clinics, a randomised trial " * 4)[:300]
ITEMS = ("Random sequence", "Allocation concealment", "Blinded or self-reported outcome", "All randomised analysed")
DOMAINS = (
    "Randomisation process",
    "Deviations from intended interventions",
    "Missing outcome data",
    "Measurement of the outcome",
    "Selection of the reported result",
    "Overall",
)
JUDGEMENTS = ("low", "some", "high", "unclear", "no information", "high or unclear")


def names(k):
    listed = [f"Study {i} & <b>co</b> $x$, {1980 + i}" for i in range(k)]
    listed[0] = LONG
    if k > 5:
        listed[5] = "X" * 120
    return listed


def effects(k, seed=1):
    rng = np.random.default_rng(seed)
    vi = rng.uniform(0.02, 0.15, k)
    yi = rng.normal(0.48, 0.37, k) + np.sqrt(vi) * rng.normal(size=k)
    return EffectSizes(yi=yi, vi=vi, measure="SMD", convention="test")


def weighted_forest(k, width):
    pooled = meta.pool(effects(k)) if k > 1 else None
    weights = [100.0] if pooled is None else pooled.weight_percent
    return figures.forest(effects(k), labels=names(k), pooled=pooled, weights=weights, width=width)


def nested(k, width):
    study = np.array([names(k)[i // 3] for i in range(k)], dtype=object)
    some = effects(k)
    frame = meta.aggregate(some.yi, some.vi, study=study)
    combined = {row.study: (row.yi, row.vi) for row in frame.itertuples()}
    fit = meta.multilevel(some.yi, some.vi, study=study) if k > 4 else None
    return figures.nested_forest(some, study=study, labels=names(k), combined=combined, pooled=fit, width=width)


def caterpillar(k, width):
    pooled = meta.pool(effects(k)) if k > 1 else None
    return figures.caterpillar(effects(k), labels=names(k), pooled=pooled, favours=(LONG, "b"), width=width)


def filled_funnel(k, width):
    egger = meta.egger(effects(k)) if k > 2 else None
    return figures.funnel(effects(k), filled=effects(2, 5), egger=egger, labels=names(k), title=LONG, width=width)


def baujat(k, width):
    frame = meta.baujat(effects(k)) if k > 1 else pd.DataFrame({"x": [0.0], "y": [0.0]})
    return figures.baujat(frame, labels=names(k), title="What makes them differ", width=width)


def bubble(k, width):
    k = max(k, 5)
    rng = np.random.default_rng(2)
    moderators = {"sessions": rng.integers(4, 20, k), LONG[:40]: rng.choice(["group", LONG], k)}
    fit = meta.regression(effects(k), moderators=moderators)
    return figures.bubble(fit, moderator="sessions", labels=names(k), measure="SMD", favours=(LONG, "b"), width=width)


def bubble_of_categories(k, width):
    k = max(k, 5)
    fit = meta.regression(effects(k), moderators={"format": ([LONG, "group", "individual"] * k)[:k]})
    return figures.bubble(fit, measure="SMD", width=width)


def cumulative(k, width):
    frame = meta.cumulative(effects(k), order=list(range(1980, 1980 + k)))
    return figures.cumulative(frame, labels=names(k), measure="SMD", favours=("IPT", LONG), width=width)


def influence(k, width):
    k = max(k, 3)
    return figures.influence(meta.influence(effects(k)), labels=names(k), title=LONG, width=width)


def traffic_light(k, width):
    lines = [(name, d, JUDGEMENTS[(i + j) % 6]) for i, name in enumerate(names(k)) for j, d in enumerate(DOMAINS)]
    return figures.risk_of_bias(pd.DataFrame(lines, columns=["study", "domain", "judgement"]), width=width)


def counted_light(k, width):
    frame = pd.DataFrame(
        [(name, d, "low") for name in names(k) for d in ITEMS], columns=["study", "domain", "judgement"]
    )
    counts = pd.DataFrame({"study": names(k), "low": [i % 5 for i in range(k)]})
    return figures.risk_of_bias(frame, counts=counts, of=4, width=width, title="Risk of bias")


def bias_bars(k, width):
    lines = [(d, j, (i * 7 + n) % 9 + 1) for i, d in enumerate((*DOMAINS, LONG)) for n, j in enumerate(JUDGEMENTS)]
    return figures.risk_of_bias_summary(pd.DataFrame(lines, columns=["domain", "judgement", "studies"]), width=width)


def prisma(k, width):
    flow = read_flow(
        {
            "identified": 35518,
            "screened": 25309,
            "excluded_at_screening": 20870,
            "sought": 4500,
            "not_retrieved": 61,
            "reasons": {name: 3 + i for i, name in enumerate(names(min(k, 15)))},
            "sources": {"PubMed": 20000, LONG: 15518},
            "included_reports": 600,
            "included_studies": 480,
        }
    )
    return figures.prisma(flow, words=STAGES, width=width, title="The search")


def network_of(k):
    arms = [f"Treatment {i}" for i in range(min(max(k, 2), 24))]
    arms[0] = LONG
    pairs = [(0, i) for i in range(1, len(arms))] + [(i, i + 1) for i in range(1, len(arms) - 1)]
    rng = np.random.default_rng(4)
    return meta.network(
        rng.normal(0.2, 0.3, len(pairs)),
        rng.uniform(0.1, 0.3, len(pairs)),
        study=range(len(pairs)),
        arm1=[arms[a] for a, _ in pairs],
        arm2=[arms[b] for _, b in pairs],
        reference=LONG,
    )


def network(k, width):
    return figures.network(network_of(k), width=width, title="Who was compared with whom")


def ranking(k, width):
    return figures.ranking(network_of(k).ranking("higher"), width=width)


def league(k, width):
    return figures.league(network_of(k), better="higher", measure="SMD", width=width)


def grid(cells):
    rng = np.random.default_rng(3)
    estimate = rng.normal(0.4, 0.1, cells)
    choices = {
        "tau2": ["REML", "DL", "PM", "common"],
        "rho": [0.3, 0.6, np.nan],
        "comparator": ["all", LONG, "wl"],
        "rows": ["combined"],
    }
    frame = pd.DataFrame({name: [values[i % len(values)] for i in range(cells)] for name, values in choices.items()})
    return frame.assign(estimate=estimate, ci_low=estimate - 0.35, ci_high=estimate + 0.35, k=7)


class Grid:
    """A grid of specifications as the figure reads it."""

    def __init__(self, cells):
        self.frame, self.measure, self.event, self.level = grid(cells), "SMD", None, 0.95


def specification_curve(k, width):
    return figures.specification_curve(Grid(max(k, 4)), main=0.45, favours=("IPT", "control"), width=width)


MAKERS = (
    weighted_forest,
    nested,
    caterpillar,
    filled_funnel,
    baujat,
    bubble,
    bubble_of_categories,
    cumulative,
    influence,
    traffic_light,
    counted_light,
    bias_bars,
    prisma,
    network,
    ranking,
    league,
    specification_curve,
)


@pytest.mark.parametrize("width", [7.2, 3.5])
@pytest.mark.parametrize("k", [1, 8, 60])
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_figures_are_readable(make, k, width, assert_readable):
    assert_readable(make(k, width))


@pytest.mark.parametrize(
    "make", [weighted_forest, caterpillar, cumulative, influence, traffic_light], ids=lambda make: make.__name__
)
def test_two_hundred_studies_are_readable(make, assert_readable):
    assert_readable(make(200, 7.2))


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_same_figure_gives_the_same_bytes(make):
    one, two = (figures.to_svg(make(9, 7.2)) for _ in range(2))
    assert one == two
    assert "<script" not in one
    assert "<b>" not in one


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_figure_can_stand_in_an_axes_of_the_user(make, monkeypatch):
    """Every function takes `ax`; the words stay inside the rectangle it had."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9))
    FigureCanvasAgg(figure)
    _, right = figure.subplots(1, 2)
    place = right.get_position()
    name = {"weighted_forest": "forest", "nested": "nested_forest", "filled_funnel": "funnel"}.get(make.__name__)
    name = name or {"traffic_light": "risk_of_bias", "counted_light": "risk_of_bias"}.get(make.__name__)
    name = name or {"bias_bars": "risk_of_bias_summary", "bubble_of_categories": "bubble"}.get(make.__name__)
    name = name or make.__name__
    drawn = getattr(figures, name)
    monkeypatch.setattr(figures, name, lambda *args, **options: drawn(*args, **(options | {"ax": right})))
    assert make(6, 7.2) is right
    renderer = figure.canvas.get_renderer()
    for text in right.texts:
        box = text.get_window_extent(renderer).transformed(figure.transFigure.inverted())
        assert box.x0 >= place.x0 - 1e-3, text
        assert box.x1 <= place.x1 + 1e-3, text


def test_a_thousand_specifications_stay_a_small_drawing():
    assert len(figures.to_svg(figures.specification_curve(Grid(1000)))) < 300_000
