"""frozen_value: what a value of the house is: a dataclass that is frozen and has slots, with little done at import.

`dataclasses.dataclass` compiles six functions for each class when its module is loaded, most of which no run calls.
Here equality, hash, repr and the refusal to change are the same few functions for all classes, and ``__init__`` is
compiled when it is first looked up. `fields`, `replace`, `asdict`, pickling and signatures are those of a dataclass.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform, overload

_Class = TypeVar("_Class", bound=type)


@overload
def frozen_value(cls: _Class, /) -> _Class: ...


@overload
def frozen_value(*, eq: bool = True, repr: bool = True) -> Callable[[_Class], _Class]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen_value(cls: Any = None, /, *, eq: bool = True, repr: bool = True) -> Any:
    """Return a class as one whose instances hold its fields, in slots, and never change.

    Parameters
    ----------
    cls : type
        Its annotations are the fields, as `dataclasses.dataclass` reads them; all are parameters of ``__init__``.
    eq : bool
        Two are equal if their fields are, and have a hash; otherwise each equals itself alone, as arrays want it.
    repr : bool
        Give it the text of a dataclass. A function that the class has of its own stays, this or any other.

    Raises
    ------
    TypeError
        A field is no parameter of ``__init__``.
    """
    if cls is None:
        return lambda named: _made(named, eq, repr)
    return _made(cls, eq, repr)


def _made(cls: type, eq: bool, has_text: bool) -> type:
    cls.__doc__ = cls.__doc__ or cls.__name__  # or dataclass asks for the signature, which takes as long as all of this
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    if hidden := [one.name for one in fields(made) if not one.init]:
        raise TypeError(f"{cls.__name__}.{hidden[0]} is no parameter of __init__; take a property, or a dataclass")
    given: dict[str, Any] = {"__init__": _CompiledOnLookUp(made), "__getstate__": _state, "__setstate__": _set_state}
    given |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    given |= {"__repr__": _text} if has_text else {}
    given |= _equality([one.name for one in fields(made) if one.compare]) if eq else {}
    own = {name for name, content in vars(cls).items() if content is not None}  # an __eq__ leaves a __hash__ of None
    for name in given.keys() - own:
        setattr(made, name, given[name])
    return made  # type: ignore[no-any-return]


def _equality(names: list[str]) -> dict[str, Callable[..., Any]]:
    """Return equality and hash by some fields."""
    seen: Callable[[Any], Any] = attrgetter(*names) if len(names) > 1 else lambda one: [getattr(one, n) for n in names]

    def equal(self: Any, other: object) -> Any:
        return seen(self) == seen(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equal, "__hash__": lambda self: hash(tuple(seen(self)))}


@recursive_repr()
def _text(self: Any) -> str:
    told = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{self.__class__.__qualname__}({', '.join(told)})"


def _refuse_to_set(self: Any, name: str, _: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, content in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, content)


class _Made:
    def __repr__(self) -> str:
        return "<factory>"  # in signatures, as the standard library has it


_MADE = _Made()
"""The default of a parameter whose field has a factory."""


class _CompiledOnLookUp:
    """The ``__init__`` of a class until somebody looks for it, and then a function in its place."""

    __slots__ = ("of",)

    def __init__(self, of: type) -> None:
        self.of = of

    def __get__(self, instance: Any, owner: type) -> Any:
        init = _compiled_init(self.of)
        self.of.__init__ = init  # type: ignore[misc]
        return init.__get__(instance, owner)


def _compiled_init(cls: type) -> Any:
    """Return a function that sets each field in order, and then calls ``__post_init__`` where there is one."""
    given: tuple[Field[Any], ...] = fields(cls)
    known: dict[str, Any] = {"_set": object.__setattr__, "_MADE": _MADE}
    parameters, by_name, body = ["self"], list[str](), list[str]()
    for one in given:
        default, made = f"_default_{one.name}", f"_make_{one.name}"
        known |= {default: one.default, made: one.default_factory}
        has_factory = one.default_factory is not MISSING
        is_optional = has_factory or one.default is not MISSING
        text = one.name + (f"={'_MADE' if has_factory else default}" if is_optional else "")
        (by_name if one.kw_only else parameters).append(text)
        content = f"{made}() if {one.name} is _MADE else {one.name}" if has_factory else one.name
        body.append(f" _set(self, {one.name!r}, {content})")
    body += [" self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    signature = ", ".join([*parameters, *(["*", *by_name] if by_name else [])])
    exec("\n".join([f"def __init__({signature}):", *(body or [" pass"])]), known)
    init = known["__init__"]
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = {one.name: one.type for one in given} | {"return": None}
    return init
