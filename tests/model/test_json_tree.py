"""The digest of a table by columns is that of its plain JSON, in however many parts the columns come."""

import hashlib
import json

import pytest

from wsi_area.model.json_tree import columns_digest

COLUMNS = {"name": ["ä", None, "b"], "area": [1.5, -0.0, 1e300], "id": [3, 1, 2]}


@pytest.mark.parametrize("columns", [COLUMNS, {"none": []}, {}, {"b": [True], "a": [None]}])
@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_a_table_in_parts_has_the_digest_of_its_json(columns: dict[str, list[object]], at_once: int) -> None:
    parts = {
        name: [values[i : i + at_once] for i in range(0, len(values), at_once)] for name, values in columns.items()
    }
    expected = hashlib.sha256(json.dumps(columns, sort_keys=True).encode()).hexdigest()
    assert columns_digest(parts) == expected


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        columns_digest({"area": [[1.0], [float("nan")]]})
