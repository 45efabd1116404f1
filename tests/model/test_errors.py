import inspect
import pickle

import pytest

import wsi_area.errors as errors

TREE = [cls for _, cls in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("cls", TREE)
def test_every_error_comes_back_from_a_worker_as_it_was(cls: type[Exception]) -> None:
    back = pickle.loads(pickle.dumps(cls("what, 3 px, do this")))
    assert type(back) is cls
    assert str(back) == "what, 3 px, do this"


@pytest.mark.parametrize("cls", TREE)
def test_every_error_is_one_of_ours(cls: type[Exception]) -> None:
    assert issubclass(cls, errors.WsiAreaError)


def test_the_face_of_the_module_lists_the_whole_tree() -> None:
    assert {cls.__name__ for cls in TREE} == set(errors.__all__)


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (errors.SettingsError, ValueError),
        (errors.SlideOpenError, OSError),
        (errors.MissingMppError, LookupError),
        (errors.ImplausibleMppError, ValueError),
        (errors.PlanError, ValueError),
        (errors.TileReadError, OSError),
        (errors.SegmentationError, RuntimeError),
    ],
)
def test_who_catches_the_builtin_catches_ours(cls: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(cls, builtin)
