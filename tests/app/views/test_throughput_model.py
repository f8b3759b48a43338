"""Rates, percentiles and the growing arrays behind the Throughput view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringscope.views.throughput.model import QUANTILES, Samples, percentiles
from ringscope.views.throughput.plots import peaks
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.counters import BUCKETS, LatencyHistogram, bucket_floor_ns
from ringscope_core.trace.oids import ring_oid
from tests.app.synthetic import BDF, make_session


def test_percentiles_lie_in_the_right_bucket() -> None:
    """p50, p90 and p99 of known durations are at most what is told, which is at most a bucket more; NaN without any."""
    histogram = LatencyHistogram()
    for value in range(1, 1001):
        histogram.add(value * 100)
    counts = np.array([histogram.to_list(), [0] * int(BUCKETS)])
    found = percentiles(counts)
    for place, quantile in enumerate(QUANTILES):
        assert 100_000 * quantile <= found[0, place] <= 100_000 * quantile * 1.25
    assert np.isnan(found[1]).all()


def test_percentile_of_one_value_stays_in_its_bucket() -> None:
    """A single duration's percentiles are between its bucket's bounds."""
    histogram = LatencyHistogram()
    histogram.add(4000)
    bucket = next(i for i, n in enumerate(histogram.to_list()) if n)
    found = percentiles(np.array(histogram.to_list()))
    assert all(bucket_floor_ns(bucket) <= value <= bucket_floor_ns(bucket + 1) for value in found)


def test_samples_of_a_recording(tmp_path: Path) -> None:
    """Everything is read once; the mean between two samples is exact; percentiles are filled."""
    reader = SessionReader(make_session(tmp_path / "s.ringscope", turns=100))
    samples = Samples()
    assert samples.extend(reader)
    assert not samples.extend(reader)
    tx = int(ring_oid(BDF, 1))
    packets = samples.column(tx, "packets")
    assert int(packets[-1]) == 100
    times = samples.time_s(False)
    starts = np.zeros(len(times), np.int64)
    rate = samples.rate(tx, "packets", times, starts)
    assert rate[-1] == pytest.approx(100 / (times[-1] - times[0]))
    assert np.isnan(rate[0])
    while samples.fill_latency(reader, 1):
        pass
    assert samples.latency_ns(tx, 0)[-1] == pytest.approx(4000, rel=0.2)
    reader.close()


def test_windows_reach_back_at_least_one_sample() -> None:
    """A rate's window starts one sample back even when samples are further apart than the window."""
    samples = Samples()
    times = np.array([0.0, 1.0, 1.01, 1.02, 5.0])
    assert samples.window_starts(times, 0.015).tolist() == [0, 0, 1, 2, 3]


def test_downsampling_keeps_every_peak() -> None:
    """A long curve is drawn with few points, and its extremes are among them; gaps stay gaps."""
    values = np.zeros(100_000)
    values[33_333], values[70_001] = 9.0, -9.0
    values[50_000:51_000] = np.nan
    times, drawn = peaks(np.arange(100_000) / 1000, values)
    assert len(times) == len(drawn) < 3000
    assert (np.nanmax(drawn), np.nanmin(drawn)) == (9.0, -9.0)
    assert np.isnan(drawn).any()
    short = np.arange(50.0)
    assert peaks(short, short)[0] is short
