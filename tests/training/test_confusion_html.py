"""The confusion matrix of a training report: counts of few classes, shares of many."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from wsi_area.audit.accuracy import Accuracy, ImageAgreement
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.training.figures import areas_png
from wsi_area.training.report import confusion_html


def accuracy_of(matrix: np.ndarray) -> Accuracy:
    classes = tuple(TissueClass(k, f"kind_{k}", (10 * k, 90, 200 - 10 * k), k > 0) for k in range(len(matrix)))
    image = ImageAgreement("image", "group", matrix, {}, 1e-6, {})
    return Accuracy(ClassScheme(classes), (image,), 0)


def cells(html: str) -> list[list[str]]:
    (table,) = re.findall(r"<table.*?</table>", html, re.DOTALL)
    return [["".join(cell.itertext()) for cell in row] for row in ET.fromstring(table).iter("tr")]


def test_few_classes_are_counted() -> None:
    rows = cells(confusion_html(accuracy_of(np.array([[1200, 34], [5, 600]], np.int64))))
    assert rows[1] == ["kind_0", "1,200", "34", "1,234"]
    assert rows[-1] == ["found in all", "1,205", "634", "1,839"]


def test_of_many_classes_each_row_shows_where_its_pixels_went() -> None:
    matrix = np.eye(12, dtype=np.int64) * 900
    matrix[3, 7] = 100
    matrix[3, 8] = 3  # 0.3 %: left blank
    html = confusion_html(accuracy_of(matrix))
    rows = cells(html)
    assert rows[0] == ["true ↓ found →", *map(str, range(12)), "true in all, px"]
    assert rows[4][0] == "3 kind_3"
    shown = {number: text for number, text in enumerate(rows[4][1:-1]) if text}
    assert shown == {3: "90", 7: "10"}
    assert rows[4][-1] == "1,003"
    assert 'title="3 px"' in html  # the exact count is not lost


@pytest.mark.parametrize("classes", [3, 14])
def test_the_plot_of_areas_has_room_for_the_names_of_all_classes(classes: int) -> None:
    from io import BytesIO

    from PIL import Image

    size = Image.open(BytesIO(areas_png(accuracy_of(np.eye(classes, dtype=np.int64) * 50)))).size
    plain = (506, 462)
    assert size[0] == plain[0]
    assert (size[1] > plain[1]) == (classes > 6)
