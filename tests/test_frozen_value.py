"""A frozen value is held against the dataclass of the standard library, field by field and word by word."""

import copy
import inspect
import itertools
import pickle
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value

PACKAGE = Path(__file__).resolve().parent.parent / "wsi_area"
Decorator = Callable[[type], type]
_Content = TypeVar("_Content")


def of_both(made: Callable[[Decorator], type]) -> tuple[Any, Any]:
    """One class twice: as a frozen value, and as the standard library makes it."""
    return made(frozen_value), made(dataclass(frozen=True, slots=True))


def box(decorated: Decorator) -> type:
    class Box:
        """A box."""

        left_px: int
        width_px: int = 5
        name: str = field(default="", compare=False)
        notes: tuple[str, ...] = field(default=(), repr=False)
        counts: dict[str, int] = field(default_factory=dict, compare=False)
        CORNERS: ClassVar[int] = 4

        @property
        def right_px(self) -> int:
            return self.left_px + self.width_px

    return decorated(Box)


def said_by_name(decorated: Decorator) -> type:
    class Said:
        word: str
        is_loud: bool = field(default=False, kw_only=True)
        times: int = field(kw_only=True)

        def __post_init__(self) -> None:
            if self.times < 0:
                raise ValueError(f"{self.word} {self.times} times")

    return decorated(Said)


def alone(decorated: Decorator) -> type:
    class Alone:
        only: Any

    return decorated(Alone)


def empty(decorated: Decorator) -> type:
    class Empty:
        """Holds nothing."""

    return decorated(Empty)


def with_its_own(decorated: Decorator) -> type:
    class Own:
        left_px: int
        width_px: int = 3

        def __repr__(self) -> str:
            return f"<{self.left_px}>"

        def __hash__(self) -> int:
            return 7

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and other.left_px == self.left_px

    return decorated(Own)


def derived(decorated: Decorator) -> type:
    class Base:
        left_px: int
        notes: list[str] = field(default_factory=list)

    made: Any = decorated(Base)

    class Derived(made):
        right_px: int = 9

    return decorated(Derived)


KINDS: dict[str, tuple[Callable[[Decorator], type], list[tuple[tuple[Any, ...], dict[str, Any]]]]] = {
    "defaults": (box, [((1,), {}), ((1, 5, "other"), {}), ((2,), {"notes": ("a", "b")}), ((), {"left_px": 1})]),
    "by name": (said_by_name, [(("hey",), {"times": 2}), (("hey",), {"times": 2, "is_loud": True})]),
    "one field": (alone, [((1,), {}), (((1, 2),), {}), ((None,), {}), ((float("nan"),), {})]),
    "none": (empty, [((), {})]),
    "its own functions": (with_its_own, [((1,), {}), ((1, 4), {}), ((2,), {})]),
    "derived": (derived, [((1,), {}), ((1, ["a"]), {}), ((1,), {"right_px": 2})]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_equal_hashed_and_told_as_the_dataclass_of_the_standard_library(kind: str) -> None:
    made, calls = KINDS[kind]
    ours, theirs = of_both(made)
    own = [ours(*args, **names) for args, names in calls]
    other = [theirs(*args, **names) for args, names in calls]
    assert [repr(one) for one in own] == [repr(one) for one in other]
    for (a, x), (b, y) in itertools.product(zip(own, other, strict=True), repeat=2):
        assert (a == b) is (x == y)
        assert (a != b) is (x != y)
        if a == b and not _is_unhashable(x):
            assert hash(a) == hash(b)
        assert _is_unhashable(a) is _is_unhashable(x)
    assert own[0] != other[0]
    assert (own[0] == 3) is False


def _is_unhashable(one: object) -> bool:
    try:
        hash(one)
    except TypeError:
        return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_fields_signature_and_what_is_made_of_a_value_are_those_of_a_dataclass(kind: str) -> None:
    made, calls = KINDS[kind]
    ours, theirs = of_both(made)
    assert is_dataclass(ours)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__match_args__ == theirs.__match_args__
    seen = ["name", "type", "default", "default_factory", "compare", "repr", "kw_only", "init"]
    assert [[getattr(f, s) for s in seen] for f in fields(ours)] == [
        [getattr(f, s) for s in seen] for f in fields(theirs)
    ]
    for args, names in calls:
        one, other = ours(*args, **names), theirs(*args, **names)
        assert str(asdict(one)) == str(asdict(other))
        assert str(astuple(one)) == str(astuple(other))
        assert not hasattr(one, "__dict__")
        if fields(ours):
            first = fields(ours)[0].name
            assert repr(replace(one, **{first: 8})) == repr(replace(other, **{first: 8}))
            assert getattr(replace(one, **{first: 8}), first) == 8


@pytest.mark.parametrize("kind", ["defaults", "by name", "one field", "derived"])
def test_a_value_refuses_every_change_with_the_error_of_a_dataclass(kind: str) -> None:
    made, calls = KINDS[kind]
    args, names = calls[0]
    for one in (cls(*args, **names) for cls in of_both(made)):
        name = fields(one)[0].name
        before = getattr(one, name)
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(one, name, 3)
        with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(one, name)
        with pytest.raises((AttributeError, TypeError)):
            one.no_field_of_it = 3
        assert getattr(one, name) is before


@pytest.mark.parametrize("wrong", [((), {}), ((1, 2, 3, 4, 5, 6), {}), ((1,), {"no": 1}), ((1,), {"left_px": 2})])
def test_what_a_dataclass_refuses_to_be_made_of_a_value_refuses_in_the_same_words(wrong: Any) -> None:
    args, names = wrong
    told = []
    for cls in of_both(box):
        with pytest.raises(TypeError) as refused:
            cls(*args, **names)
        told.append(str(refused.value))
    assert told[0] == told[1]


def test_a_field_that_nobody_can_give_is_refused_where_the_class_is_made() -> None:
    with pytest.raises(TypeError, match=r"Counted\.px is no parameter of __init__; take a property"):

        @frozen_value
        class Counted:
            px: int = field(init=False, default=3)


def test_what_follows_the_fields_is_called_and_may_refuse() -> None:
    for cls in of_both(said_by_name):
        with pytest.raises(ValueError, match="hey -1 times"):
            cls("hey", times=-1)


def test_each_instance_has_a_default_of_its_own() -> None:
    cls: Any = box(frozen_value)
    one, other = cls(1), cls(1)
    one.counts["a"] = 1
    assert other.counts == {}
    assert cls(1, counts=one.counts).counts is one.counts


def test_a_value_that_compares_by_itself_alone_may_hold_an_array() -> None:
    @frozen_value(eq=False)
    class Counted:
        px: NDArray[np.int64]

    one, same = Counted(np.arange(3)), Counted(np.arange(3))
    assert one == one
    assert one != same
    assert len({one, same, one}) == 2


@frozen_value(repr=False)
class Silent:
    """Has the text of any object, and a place of its own in the module, for pickle."""

    left_px: int
    inner: "Silent | None" = None
    notes: list[str] = field(default_factory=list, compare=False)


@frozen_value
class Circle:
    """May hold itself."""

    of: list[Any]


@frozen_value
class Held(Generic[_Content]):
    """Holds something of a type."""

    content: _Content


def test_a_value_without_a_text_tells_nothing_of_its_fields_and_one_that_holds_itself_ends() -> None:
    assert "left_px" not in repr(Silent(1))
    circle = Circle([])
    circle.of.append(circle)
    assert repr(circle) == "Circle(of=[...])"
    assert Held[int](3) == Held(3)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_value_travels_whole_to_another_process(protocol: int) -> None:
    sent = Silent(3, Silent(4, notes=["a"]), ["b"])
    come = pickle.loads(pickle.dumps(sent, protocol))
    assert astuple(come) == astuple(sent)
    assert come == sent
    assert hash(come) == hash(sent)
    assert astuple(copy.deepcopy(sent)) == astuple(sent)
    assert copy.copy(sent).notes is sent.notes
    with pytest.raises(FrozenInstanceError):
        come.left_px = 1


def test_threads_that_make_the_first_instances_at_once_all_get_theirs() -> None:
    cls: Any = box(frozen_value)
    start, made = threading.Barrier(8), []

    def work(number: int) -> None:
        start.wait(60)
        made.append(cls(number, width_px=number + 1))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted((one.left_px, one.width_px) for one in made) == [(n, n + 1) for n in range(8)]


@given(st.lists(st.one_of(st.integers(), st.text(), st.none(), st.tuples(st.integers())), min_size=2, max_size=2))
def test_values_of_any_content_are_equal_and_hashed_by_it(content: list[Any]) -> None:
    ours, theirs = of_both(alone)
    first, second = content
    assert (ours(first) == ours(second)) is (theirs(first) == theirs(second))
    assert hash(ours(first)) == hash(ours(copy.deepcopy(first)))


def test_the_package_has_one_kind_of_frozen_value_with_slots() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert sum("@frozen_value" in text for text in texts.values()) > 100
    found = [path.relative_to(PACKAGE).as_posix() for path, text in texts.items() if "frozen=True, slots=True" in text]
    assert found == []  # take @frozen_value of wsi_area.frozen_value: it does less at import
