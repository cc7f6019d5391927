"""The CSV of `oomtriage classify`: what is read, and what is refused."""

from __future__ import annotations

import pytest

from receiver.diagnosis.memory.csv_series import SeriesError, history_of_csv

HEADER = "t_seconds,working_set_bytes,limit_bytes,rss_bytes,cache_bytes,request_rate,restarts,oom_kills"


def test_all_columns_are_read():
    """Each column lands in its field."""
    (row,) = history_of_csv(f"{HEADER}\n30,100,200,90,8,1.5,2,1\n").samples

    assert (row.t_s, row.working_set_bytes, row.limit_bytes, row.rss_bytes) == (30, 100, 200, 90)
    assert (row.cache_bytes, row.request_rate, row.restarts, row.oom_kills) == (8, 1.5, 2, 1)


def test_two_columns_are_enough_in_any_order_beside_others():
    """Only time and working set are required; what is not known is ignored."""
    h = history_of_csv("\ufeffnote,Working_Set_Bytes , T_seconds\nx,10,60\ny,20,0\n\n,,\n")

    assert [(s.t_s, s.working_set_bytes) for s in h.samples] == [(0, 20), (60, 10)]
    assert h.samples[0].limit_bytes is None


def test_empty_cells_and_nan_mean_not_known():
    """A scrape that failed leaves its row out; a missing limit stays missing."""
    h = history_of_csv(f"{HEADER}\n0,10,,NaN,,inf,,\n30,,100,,,,,\n60,11\n")

    assert [s.t_s for s in h.samples] == [0, 60]
    assert h.samples[0].rss_bytes is None
    assert h.samples[0].request_rate is None


def test_rows_after_until_are_not_kept():
    """The moment itself still counts."""
    assert [s.t_s for s in history_of_csv(f"{HEADER}\n0,1\n30,1\n60,1\n", until_s=30).samples] == [0, 30]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", 'no column "t_seconds"'),
        ("a,b\n1,2\n", 'no column "t_seconds"'),
        ("t_seconds,rss_bytes\n1,2\n", 'no column "working_set_bytes"'),
        (f"{HEADER}\n0,ten\n", "line 2, column working_set_bytes: 'ten' is not a number"),
        ("\x00\x01", "no column"),
    ],
)
def test_what_is_no_series_is_refused_with_the_reason(text: str, says: str):
    """The error names the line and column."""
    with pytest.raises(SeriesError, match=says):
        history_of_csv(text)
