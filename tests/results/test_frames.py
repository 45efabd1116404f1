"""Tables of earlier versions have the names of today, and who asks for a former name is told the new one."""

import pandas as pd
import pytest
from recorded import counted_slide

from wsi_area.results.frames import RunFrame, with_names_of_today
from wsi_area.results.tables.run_tables import summary_row


def test_documents_of_0_1_0_have_their_signal_under_the_names_of_today() -> None:
    slide = counted_slide("stain/complete")
    assert slide.signal is not None
    assert slide.signal.mean
    row = summary_row(slide)
    assert row["mean_od"] == slide.signal.mean
    assert row["integrated_od"] == pytest.approx(slide.signal.mean * (slide.tissue.area_mm2 or 0))
    assert (slide.signal.n_px, row["sum_od_per_mm2"]) == (None, None)  # what that version did not keep is unknown


@pytest.mark.parametrize(
    ("table", "former", "now"),
    [("summary", "signal_od_per_mm2", "mean_od"), ("areas", "signal_per_mm2", "mean_grey")],
)
def test_a_table_of_an_earlier_version_is_read_with_the_names_of_today(table, former, now) -> None:
    frame = with_names_of_today(pd.DataFrame({former: [0.25], "n_px": [4]}), table, lambda: now.removeprefix("mean_"))
    assert list(frame.columns) == [now, "n_px"]
    assert frame[now].tolist() == [0.25]


@pytest.mark.parametrize(
    "asked", ["signal_od_per_mm2", "signal_per_mm2", ["n_px", "signal_per_mm2"]], ids=["summary", "areas", "several"]
)
def test_a_former_name_is_refused_with_the_new_one(asked) -> None:
    frame = RunFrame({"n_px": [1, 2], "mean_od": [0.1, 0.2]})
    with pytest.raises(KeyError, match="is now 'mean_<signal>'"):
        frame[asked]
    with pytest.raises(KeyError, match="is now 'mean_<signal>'"):
        frame[frame["n_px"] > 1][asked]  # a part of a table is a table


def test_a_former_name_is_refused_as_an_attribute_too() -> None:
    frame = RunFrame({"n_px": [1], "mean_od": [0.1]})
    with pytest.raises(AttributeError, match="is now 'mean_<signal>'"):
        frame.signal_od_per_mm2  # noqa: B018  (asked for)
    with pytest.raises(AttributeError, match="no attribute 'n_pixels'"):
        frame.n_pixels  # noqa: B018
    assert frame.mean_od.tolist() == [0.1]


def test_a_name_that_never_was_is_refused_as_pandas_does() -> None:
    with pytest.raises(KeyError) as refused:
        RunFrame({"n_px": [1]})["n_pixels"]
    assert refused.value.args == ("n_pixels",)
