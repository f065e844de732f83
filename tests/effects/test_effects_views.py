"""Every result of the effect sizes shows itself the same way, and small ones still unpack like tuples."""

import json

import numpy as np
import pytest

from ipt_outcomes import effects

RESULTS = {
    "Converted": lambda: effects.log_odds_to_smd([0.9, np.nan], [0.16, 0.2]),
    "ImputedResponse": lambda: effects.response_from_cutoff([12.6, 10], 6.0, 50, cutoff=11.75, better="lower"),
    "MeanSd": lambda: effects.mean_sd_from_quantiles(n=[40, 30], q1=8, median=12, q3=17),
    "DesignEffect": lambda: effects.design_effect([20, 5], icc=0.02),
    "Limits": lambda: effects.wilson([5, 3], [13, 20]),
    "NumbersNeeded": lambda: effects.nnt([56, 5], [70, 56], [48, 0], [80, 29]),
    "EffectSizes": lambda: effects.smd(11.2, 6.1, [40, 50], 15.0, 6.4, 38, better="lower"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_views(name):
    result = RESULTS[name]()
    assert type(result).__name__ == name
    assert len(result.to_frame()) == 2
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert result.summary().count("\n") >= 2
    html = result._repr_html_()
    assert html.startswith("<table>")
    assert "<script" not in html


def test_small_results_unpack():
    yi, vi = effects.log_odds_to_smd([0.9], [0.16])
    assert yi.round(3).tolist() == [0.496]
    assert vi.size == 1
    low, high = effects.wilson(5, 13)
    assert low < high
    rate, event, method = effects.response_from_cutoff(12.6, 6.0, 50, cutoff=11.75, better="lower")
    assert (rate.size, event.tolist()) == (1, [22.0])
    assert method in effects.response_from_cutoff(12.6, 6.0, 50, cutoff=11.75, better="lower").summary()
    assert effects.wilson(5, 13).to_frame().shape == (1, 2)
