"""The manifest: what spreadsheets write is read, and whatever could mislead is refused by line."""

import os
import re
from pathlib import Path

import pytest

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.drawn_source import stated_scale
from wsi_area.inputs.manifest import read_manifest
from wsi_area.model.calibration import Mpp
from wsi_area.model.record.subjects import Case


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "slides.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_rows_are_read_with_their_lines_and_paths_start_at_the_manifest(tmp_path: Path) -> None:
    text = (
        "path,mpp_x,mpp_y,mpp_reason,slide_id\na.svs,0.25,0.26,scanner log,A\n\nsub/b.svs,0.5,,scale bar,\nc.svs,,,,\n"
    )
    first, second, third = read_manifest(written(tmp_path, text))
    assert (first.path, first.mpp, first.mpp_reason, first.slide_id) == (
        tmp_path / "a.svs", Mpp(0.25, 0.26), "scanner log", "A",
    )  # fmt: skip
    assert (second.path, second.mpp, second.slide_id) == (tmp_path / "sub" / "b.svs", Mpp(0.5, 0.5), None)
    assert (third.mpp, third.mpp_reason) == (None, "")
    assert [row.row for row in (first, second, third)] == [2, 4, 5]


def test_columns_come_in_any_order_and_case_and_only_path_is_needed(tmp_path: Path) -> None:
    (row,) = read_manifest(written(tmp_path, "MPP_reason, Path ,mpp_X\nscale bar,/x/a.svs,0.5\n"))
    assert (row.path, row.mpp) == (Path("/x/a.svs"), Mpp(0.5, 0.5))
    assert read_manifest(written(tmp_path, "path\na.svs\n"))[0].path == tmp_path / "a.svs"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffpath;mpp_x;mpp_reason\r\na.svs;0,25;scale bar\r\n",
        "sep=;\r\npath;mpp_x;mpp_reason\r\na.svs;0,25;scale bar\r\n",
        'path,mpp_x,mpp_reason\na.svs,"0,25",scale bar\n',
        "path\tmpp_x\tmpp_reason\na.svs\t0.25\tscale bar\n",
        "path;mpp_x;mpp_reason;;\na.svs;0,25;scale bar;;\n;;;;\n",
    ],
)
def test_what_excel_writes_is_read(tmp_path: Path, text: str) -> None:
    (row,) = read_manifest(written(tmp_path, text))
    assert (row.path, row.mpp, row.mpp_reason) == (tmp_path / "a.svs", Mpp(0.25, 0.25), "scale bar")


@pytest.mark.parametrize(
    "text",
    [
        "path;mpp_x;mpp_y;mpp_reason;mpp_u_um;annotations;annotation_scale\na.svs;0,25;0,26;bar;0,001;a.xml;0,5\n",
        "path\tmpp_x\tmpp_y\tmpp_reason\tmpp_u_um\tannotations\tannotation_scale\n"
        "a.svs\t0,25\t0,26\tbar\t0,001\ta.xml\t0,5\n",
        "path,mpp_x,mpp_y,mpp_reason,mpp_u_um,annotations,annotation_scale\n"
        'a.svs,"0,25","0,26",bar,"0,001",a.xml,"0,5"\n',
    ],
)
def test_a_cell_is_one_number_with_a_decimal_comma_in_every_column(tmp_path: Path, text: str) -> None:
    (row,) = read_manifest(written(tmp_path, text))
    assert (row.mpp, row.sureness.u_um, row.scales.annotations) == (Mpp(0.25, 0.26), 0.001, 0.5)


def test_a_quoted_reason_may_hold_commas_and_letters_of_any_language(tmp_path: Path) -> None:
    (row,) = read_manifest(written(tmp_path, 'path,mpp_x,mpp_reason\na.svs,0.5,"Maßstab, 3. Mai"\n'))
    assert row.mpp_reason == "Maßstab, 3. Mai"


def test_a_size_without_a_reason_is_taken_as_it_is_on_the_command_line(tmp_path: Path) -> None:
    (row,) = read_manifest(written(tmp_path, "path,mpp_x\na.svs,0.5\n"))
    assert (row.mpp, row.mpp_reason) == (Mpp(0.5, 0.5), "")


HEAD = "path,mpp_x,mpp_y,mpp_reason,slide_id\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path,mpp,mpp_reason\n", "unknown column 'mpp'; known: path, mpp_x"),
        ("path,region\n", "unknown column 'region'"),
        ("mpp_x,mpp_reason\n0.5,log\n", "no column 'path'"),
        ("path,path\na,b\n", "stands twice"),
        (HEAD, "no rows"),
        ("", "no column 'path'"),
        (HEAD + "a.svs,0.5,,log,\n,0.5,,log,\n", "line 3: the path is empty"),
        (HEAD + "a.svs,,,scale bar,\n", "line 2: a reason ('scale bar') but no mpp_x"),
        (HEAD + "a.svs,,0.5,scale bar,\n", "line 2: mpp_y is 0.5 but mpp_x is empty"),
        (HEAD + "a.svs,half,,log,\n", "line 2: mpp_x is 'half'"),
        (HEAD + "a.svs,0,,log,\n", "line 2: mpp_x is '0'"),
        (HEAD + "a.svs,-0.5,,log,\n", "line 2: mpp_x is '-0.5'"),
        (HEAD + "a.svs,nan,,log,\n", "line 2: mpp_x is 'nan'"),
        (HEAD + "a.svs,inf,,log,\n", "line 2: mpp_x is 'inf'"),
        (HEAD + 'a.svs,"1.000,5",,log,\n', "line 2: mpp_x is '1.000,5'"),
        (HEAD + "a.svs,0.5,0.5,log,../up\n", "line 2: slide_id '../up' cannot name a folder"),
        (HEAD + "a.svs,0.5,,log,\n./a.svs,0.25,,log,\n", "lines 2 and 3 have the same path"),
        (HEAD + "a.svs,,,,one\nb.svs,,,,ONE\n", "lines 2 and 3 have the same slide_id"),
        ("path,mpp_x,mpp_reason\na.svs,0,25,scale bar\n", "line 2: 4 cells for 3 columns"),
        ("path,mpp_x,mpp_reason\na.svs,1,25\n", "line 2: mpp_reason is '25'"),  # a decimal comma, unquoted
    ],
)
def test_what_could_mislead_is_refused_by_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        read_manifest(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_file_that_is_no_utf8_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"line 2: mpp_reason .*CSV UTF-8"):
        read_manifest(written(tmp_path, "path,mpp_x,mpp_reason\na.svs,0.5,Maßstab\n", "cp1252"))
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        with pytest.raises(SettingsError, match="is UTF-16"):
            read_manifest(written(tmp_path, "path\na.svs\n", encoding))
    (row,) = read_manifest(written(tmp_path, "path\nPräparat.svs\n", "cp1252"))  # a name is bytes
    assert os.fsencode(str(row.path)).endswith(b"Pr\xe4parat.svs")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_manifest(tmp_path / "absent.csv")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_manifest(tmp_path)


def test_who_is_on_a_slide_and_when_stands_beside_it(tmp_path: Path) -> None:
    text = "path,subject,block,date\na.png,Anna,,2026-03-01\nb.png,,,\nc.png,Ben,A2,\n"
    first, second, third = read_manifest(written(tmp_path, text))
    assert (first.case, second.case) == (Case("Anna", None, "2026-03-01"), None)
    assert third.case == Case("Ben", "A2", None)


@pytest.mark.parametrize(
    ("cells", "told"),
    [(",,2026-03-01", "subject is empty"), (",A1,", "subject is empty"), ("Anna,,01.03.2026", "year-month-day")],
)
def test_a_date_of_nobody_or_of_another_form_is_refused(tmp_path: Path, cells: str, told: str) -> None:
    with pytest.raises(SettingsError, match=f"line 2: .*{told}"):
        read_manifest(written(tmp_path, f"path,subject,block,date\na.png,{cells}\n"))


@pytest.mark.parametrize(
    ("cell", "scale"), [("1/128", 0.0078125), ("16", 16.0), ('"0,5"', 0.5), ("", None)]
)  # fmt: skip
@pytest.mark.parametrize(
    ("file", "column"),
    [("annotations", "annotation_scale"), ("roi", "roi_scale"), ("regions", "regions_scale")],
)
def test_the_scale_of_a_drawing_may_stand_in_its_row(
    tmp_path: Path, cell: str, scale: float | None, file: str, column: str
) -> None:
    (row,) = read_manifest(written(tmp_path, f"path,{file},{column}\na.svs,a.xml,{cell}\n"))
    assert getattr(row.scales, file) == scale
    stated = [n for n in (row.scales.annotations, row.scales.roi, row.scales.regions) if n is not None]
    assert stated == ([] if scale is None else [scale])


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("roi,roi_scale\na.svs,r.xml,0", "line 2: roi_scale '0' is no number above 0"),
        ("regions,regions_scale\na.svs,r.xml,1/x", "line 2: regions_scale '1/x' is no number above 0"),
        ("annotations,annotation_scale\na.svs,,4", "annotation_scale is 4 but annotations is empty"),
        ("annotations,annotations_scale\na.svs,a.xml,4", "did you mean annotation_scale?"),
    ],
)
def test_a_scale_that_is_none_or_of_no_file_is_refused(tmp_path: Path, cells: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        read_manifest(written(tmp_path, f"path,{cells}\n"))


def test_the_scale_of_a_row_counts_for_more_than_that_of_the_command(tmp_path: Path) -> None:
    for name in ("a.svs", "b.svs"):
        (tmp_path / name).write_bytes(b"II*\0")
    table = written(tmp_path, "path,annotations,annotation_scale\na.svs,a.xml,1/4\nb.svs,b.xml,\n")
    slides = collect_slides([], manifest=table, annotation_scale="16")
    assert [slide.annotations.scale for slide in slides if slide.annotations] == [0.25, 16.0]


def test_a_scale_without_its_drawing_is_named_as_its_option_is_spelt() -> None:
    for option, scale in (("--regions-from", "--regions-scale"), ("--annotations", "--annotation-scale")):
        with pytest.raises(SettingsError, match=f"^{scale} 4 was given without {option}"):
            stated_scale(option, "4", is_given=False)
