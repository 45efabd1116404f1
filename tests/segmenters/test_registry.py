from importlib.metadata import EntryPoint

import pytest
from pydantic import BaseModel

from wsi_area.errors import SettingsError
from wsi_area.segmenters import registry
from wsi_area.segmenters.colour.stain import StainSegmenter
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.registry import make_segmenter, segmenter_names


class Plain:
    def __init__(self, cut: int = 3):
        self.cut = cut

    def fit(self, overview):
        raise AssertionError("a stand-in: these tests fit nothing")


class AnyKeys:
    def __init__(self, **settings: object):
        self.settings = settings

    def fit(self, overview):
        raise AssertionError("a stand-in: these tests fit nothing")


class NoFit(BaseModel):
    pass


NOT_CALLABLE = 7


@pytest.fixture
def installed(monkeypatch):
    """Third-party entry points beside ours."""

    def offer(**values):
        entries = [EntryPoint(name, f"test_registry:{value}", registry.GROUP) for name, value in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)

    return offer


def test_the_built_in_segmenters_are_found():
    assert {"tissue", "stain"} <= set(segmenter_names())
    assert make_segmenter("tissue", {}) == TissueSegmenter()
    assert make_segmenter("stain", {"weak_od": 0.1}) == StainSegmenter(weak_od=0.1)


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(SettingsError, match=r"unknown segmenter 'tisue'; did you mean 'tissue'\?.*stain, tissue"):
        make_segmenter("tisue", {})


def test_an_unknown_key_lists_the_known_ones_and_the_nearest():
    with pytest.raises(SettingsError, match=r"'stain': 'weak'; did you mean 'weak_od'\?.*known are .*vectors"):
        make_segmenter("stain", {"weak": 0.2})


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("tissue", {"threshold": 300}, "threshold.*grey level"),
        ("tissue", {"background": "grey"}, "background.*'grey'"),
        ("tissue", {"glass_margin": 2}, r"glass_margin.*got 2.*share of the way"),
        ("stain", {"weak_od": 0.7}, "must ascend; got 0.7, 0.4, 0.6"),
        ("stain", {"otsu_min_od": 0.6}, "otsu_min_od 0.6 is above otsu_max_od 0.5"),
        ("stain", {"vectors": "masson"}, "vectors.*'masson'"),
        ("tissue", {"classes": [{"id": 0, "name": "glass", "color": "white"}]}, r"classes\.0\.color.*'white'"),
        ("tissue", {"classes": [{"id": 0, "name": "glass", "colour": "#ffffff"}]}, r"classes\.0\.colou?r"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_its_value(name, settings, words):
    with pytest.raises(SettingsError, match=words):
        make_segmenter(name, settings)


@pytest.mark.parametrize("model", [TissueSegmenter, StainSegmenter])
def test_every_key_says_what_it_means_and_in_what_unit(model):
    for name, field in model.model_fields.items():
        assert field.description, name
        units = ("no unit", "yes or no", "grey level", "stored value", "optical density", "0..1", "µm")
        assert any(unit in field.description for unit in units), name


def test_a_plain_class_of_another_package_is_a_segmenter_too(installed):
    installed(plain="Plain", any="AnyKeys")
    assert segmenter_names() == ("any", "plain")
    assert make_segmenter("plain", {"cut": 5}).cut == 5
    assert make_segmenter("any", {"a": 1}).settings == {"a": 1}


def test_a_wrong_key_for_a_plain_class_names_what_it_takes(installed):
    installed(plain="Plain")
    with pytest.raises(SettingsError, match=r"'plain'.*unexpected.*'cat'; it takes cut"):
        make_segmenter("plain", {"cat": 5})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("NoFit", "has no fit"),
        ("NOT_CALLABLE", "int, not something that can be called"),
        ("Missing", "cannot be imported"),
    ],
)
def test_an_entry_point_that_is_no_segmenter_is_refused(installed, value, words):
    installed(odd=value)
    with pytest.raises(SettingsError, match=words):
        make_segmenter("odd", {})


def test_an_entry_point_into_a_package_that_is_gone_is_refused(monkeypatch):
    gone = EntryPoint("gone", "no_such_package:Thing", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [gone])
    with pytest.raises(SettingsError, match=r"'gone' \(no_such_package:Thing\) cannot be imported.*reinstall"):
        make_segmenter("gone", {})


def test_two_packages_that_offer_one_name_are_refused(monkeypatch):
    two = [EntryPoint("x", f"test_registry:{value}", registry.GROUP) for value in ("Plain", "AnyKeys")]
    monkeypatch.setattr(registry, "entry_points", lambda group: two)
    with pytest.raises(SettingsError, match="two packages offer a segmenter 'x'"):
        segmenter_names()
