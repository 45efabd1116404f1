"""A report shows no number that its inputs do not make, and no slide vanishes from it."""

from pathlib import Path
from typing import Any

import pytest
from small_run import edited

from wsi_area.errors import ResultError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.documents import read_documents


def test_every_planned_slide_is_there_and_what_needs_somebody_comes_first(finished_run: Path) -> None:
    statuses = [(slide.slide_id, slide.status) for slide in read_documents(finished_run).slides]
    assert statuses == [
        ("text", "failed"),
        ("torn", "incomplete"),
        ("bare", "needs_calibration"),
        ("disc", "complete"),
    ]


def larger_area(record: dict[str, Any]) -> None:
    record["classes"][1]["area_mm2"] *= 1.001


def larger_tissue(record: dict[str, Any]) -> None:
    record["tissue"]["area_mm2"] += 1e-6


def other_pixel_size(record: dict[str, Any]) -> None:
    record["calibration"]["mpp_x_um"] = 0.25


def one_pixel_more(record: dict[str, Any]) -> None:
    record["counts"]["n_px_by_class"][1] += 1


def no_area(record: dict[str, Any]) -> None:
    record["classes"][1]["area_mm2"] = None


@pytest.mark.parametrize("change", [larger_area, larger_tissue, other_pixel_size, one_pixel_more, no_area])
def test_a_number_that_its_inputs_do_not_make_is_not_shown_and_costs_its_slide_alone(run: Path, change: Any) -> None:
    edited(run / "slides" / "disc" / "result.json", change)
    documents = read_documents(run)
    ((refused, why),) = documents.refused
    by_id = {slide.slide_id: slide for slide in documents.slides}
    assert refused == "disc"
    assert (by_id["disc"].status, by_id["disc"].reason) == ("failed", why)
    assert not isinstance(by_id["disc"], CountedSlide)
    assert by_id["torn"].status == "incomplete"


def test_a_damaged_document_makes_that_slide_a_failed_one_and_spares_the_others(run: Path) -> None:
    (run / "slides" / "disc" / "result.json").write_text('{"slide_id": "di')
    by_id = {slide.slide_id: slide.model_dump() for slide in read_documents(run).slides}
    assert by_id["disc"]["status"] == "failed"
    assert "result.json is damaged" in by_id["disc"]["reason"]
    assert by_id["torn"]["status"] == "incomplete"


@pytest.mark.parametrize("name", ["../../disc", "a/b"])
def test_an_id_that_leads_out_of_the_run_is_refused(run: Path, name: str) -> None:
    edited(
        run / "run.json", lambda about: about["slides"].update({name: {**about["slides"]["disc"], "slide_id": name}})
    )
    with pytest.raises(ResultError, match="not the id of a slide"):
        read_documents(run)


def test_a_run_that_has_not_ended_is_not_reported(run: Path) -> None:
    edited(run / "run.json", lambda about: about.pop("slides"))
    with pytest.raises(ResultError, match="has not ended"):
        read_documents(run)


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"run\.json"):
        read_documents(tmp_path)
