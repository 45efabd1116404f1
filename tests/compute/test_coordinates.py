"""Coordinates that are taken out of a JSON text are those that Python's own reader finds there, to the last bit."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.picture.coordinates import without_coordinates

numbers = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 1e5).map(lambda v: round(v, 2)),
    st.integers(-(2**70), 2**70),
)
points = st.lists(numbers, min_size=2, max_size=3)
polygons = st.lists(st.lists(points, min_size=1, max_size=4), min_size=1, max_size=3)
geometries = st.one_of(
    st.tuples(st.just("Polygon"), polygons),
    st.tuples(st.just("MultiPolygon"), st.lists(polygons, min_size=1, max_size=3)),
)
documents = st.lists(geometries.map(lambda g: {"type": g[0], "coordinates": g[1], "name": 'a "b" \\'}), max_size=4)


def read_back(text: bytes, least_bytes: int = 0) -> object:
    """The document of a text, with what was taken out of it put back as lists."""
    short = without_coordinates(text, least_bytes)

    def put_back(entry: dict[str, object]) -> dict[str, object]:
        found = {key: short.behind(value) for key, value in entry.items()}
        return {key: value if found[key] is None else found[key].lists() for key, value in entry.items()}

    return json.loads(short.text, object_hook=put_back)


def plain(value: object) -> object:
    """A document with every point as two floats, as an outline has it."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list) and value and not isinstance(value[0], list | dict):
        return [float(number) for number in value[:2]]
    return [plain(entry) for entry in value] if isinstance(value, list) else value


@given(documents, st.sampled_from([None, 1, "\t"]), st.sampled_from([(", ", ": "), (",", ":"), (" ,\r\n", "\t: ")]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_drawn_is_read_as_json_reads_it(document, indent, separators):
    text = json.dumps({"features": document}, indent=indent, separators=separators).encode()
    assert read_back(text) == plain(json.loads(text))
    assert len(without_coordinates(text, 0).taken) == len(document)


@given(st.lists(st.floats(-1e200, 1e200), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_numbers_are_the_same_to_the_last_bit_however_they_are_spelt(halves):
    values = [*halves, *halves[::-1]]
    for spelling in ("{!r}", "{:.17g}", "{:.3f}", "{:e}", "{:.20f}", "{:.0f}"):
        spelt = [spelling.format(value) for value in values]
        pairs = ",".join(f"[{x},{y}]" for x, y in zip(spelt[::2], spelt[1::2], strict=True))
        [taken] = without_coordinates(f'{{"coordinates":[[{pairs}]]}}'.encode(), 0).taken
        expected = np.array([float(json.loads(number)) for number in spelt])
        assert taken.points.ravel().view(np.int64).tolist() == expected.view(np.int64).tolist()


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "-0.0", "0.1", "9007199254740993", "123456789012345678901", "1e22", "1E-5", "5e-324", "1e400",
     "0.000000000000000000000000001", "100000000000000000000000.5", "179769313486231570000000000000000.0"],
)  # fmt: skip
def test_a_number_at_an_edge_is_read_as_python_reads_it(number):
    [taken] = without_coordinates(f'{{"coordinates": [[[{number}, 1]]]}}'.encode(), 0).taken
    value = float(json.loads(number))
    assert taken.points[0, 0] == value
    assert math.copysign(1, taken.points[0, 0]) == math.copysign(1, value)


STAY = {
    "a line": "[[0, 1], [2, 3]]",
    "a point": "[0, 1]",
    "lists too deep": "[[[[[0, 1]]]]]",
    "an empty list": "[]",
    "an empty ring": "[[]]",
    "a ring that is empty beside one": "[[[0, 1]], []]",
    "a point of one number": "[[[0, 1], [2]]]",
    "null": "[[[0, null]]]",
    "a text": '[[[0, "1"]]]',
    "true": "[[[0, true]]]",
    "not a number": "[[[0, NaN]]]",
    "infinity": "[[[0, -Infinity]]]",
    "levels mixed": "[[[0, 1], [[2, 3]]]]",
    "a number beside a ring": "[[[0, 1]], 2]",
    "an object": '[[[0, 1], {"coordinates": 1}]]',
    "a number of hundreds of digits": f"[[[0, {'1' * 400}]]]",
}
NO_JSON = {
    "a comma too many": "[[[0, 1],]]",
    "a comma that lacks": "[[[0, 1] [2, 3]]]",
    "a zero before a number": "[[[0, 01]]]",
    "a plus": "[[[0, +1]]]",
    "no digit before the point": "[[[0, .5]]]",
    "no digit behind the point": "[[[0, 5.]]]",
    "an exponent without digits": "[[[0, 5e]]]",
    "a minus alone": "[[[0, -]]]",
    "a bracket that lacks": "[[[0, 1]]",
    "another bracket": "[[[0, 1}]]",
    "nothing more": "[[[0",
}


@pytest.mark.parametrize("what", STAY)
def test_what_is_no_polygon_by_the_letter_stays_where_it_is(what):
    beside = '{"coordinates": [[[7, 8]]]}', '{"coordinates": [[[9, 8]]]}'
    text = f'{{"a": [{beside[0]}, {{"coordinates": {STAY[what]}}}, {beside[1]}]}}'.encode()
    short = without_coordinates(text, 0)
    assert [taken.lists() for taken in short.taken] == [[[[7.0, 8.0]]], [[[9.0, 8.0]]]]
    assert STAY[what].encode() in short.text


@pytest.mark.parametrize("what", NO_JSON)
def test_what_is_no_json_stays_where_it_is(what):
    text = f'{{"coordinates": {NO_JSON[what]}, "b": 1}}'.encode()
    assert without_coordinates(text, 0).text == text


@pytest.mark.parametrize(
    "text",
    [
        rb'{"name": "\"coordinates\": [[[1, 2]]]"}',
        rb'{"name": "coordinates\": [[[1, 2]]]"}',
        rb'{"coordinates\"": [[[1, 2]]]}',
        rb'{"coordinate": [[[1, 2]]], "xcoordinates": [[[1, 2]]], "coordinates ": [[[1, 2]]]}',
        rb'["coordinates", [[[1, 2]]]]',
        rb'{"coordinates": [[[1, 2]]], "name": "\u0001coordinates taken: 0"}',
        rb'{"coordinates": [[[1, 2]]], "name": "\u0001\u0063oordinates taken: 7"}',
        b'"coordinates"', b'"coordinates":', b'"coordinates":[', b"", b'"',
    ],
)  # fmt: skip
def test_no_text_is_taken_for_a_key_that_it_is_not(text):
    assert without_coordinates(text, 0).text == text


def test_a_text_may_end_anywhere():
    text = json.dumps([{"coordinates": [[[[1.5, 22], [3e5, -4]], [[5, 6.25]]]], "name": "x"}] * 2).encode()
    for end in range(len(text)):
        short = without_coordinates(text[:end], 0)
        with pytest.raises(json.JSONDecodeError):
            json.loads(short.text)


def test_a_text_of_the_densest_coordinates_has_room():
    for point in ("[0,0]", "[9e9,9e9]"):
        polygon = f'{{"coordinates":[[{point}]]}}'
        text = f"[{','.join([polygon] * 5000)}]".encode()
        assert len(without_coordinates(text, 0).taken) == 5000
        ring = ",".join([point] * 20000)
        [taken] = without_coordinates(f'{{"coordinates":[[{ring}]]}}'.encode(), 0).taken
        assert taken.points.shape == (20000, 2)
        rings = ",".join([f"[{point}]"] * 20000)
        [taken] = without_coordinates(f'{{"coordinates":[{rings}]}}'.encode(), 0).taken
        assert len(taken.polygons[0]) == 20000


def test_few_coordinates_are_left_to_any_reader():
    text = b'{"coordinates": [[[0, 1], [2, 3]]]}'
    assert without_coordinates(text).text == text
    many = json.dumps({"coordinates": [[[n, n + 1] for n in range(100)]]}).encode()
    assert len(without_coordinates(many).taken) == 1
