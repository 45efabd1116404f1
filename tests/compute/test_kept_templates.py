"""Compiled templates are kept for the next process, and go stale with whatever they depend on."""

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from wsi_area.compute import kept_templates
from wsi_area.compute.kept_templates import KeptTemplates

MODULE, OTHER_MODULE = "wsi_area.compute.units", "wsi_area.compute.quantity_text"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    return folder


def shown(source: str, *, name: str = "page.html", module: str = MODULE, frozen: tuple[str, ...] = ()) -> str:
    """What a new process shows of a template."""
    loader = DictLoader({name: source})
    environment = Environment(loader=loader, autoescape=True, bytecode_cache=KeptTemplates(module, frozen))
    return environment.get_template(name).render(area="<3 mm²>")


def forbid_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a template is compiled")

    monkeypatch.setattr(Environment, "_generate", refuse)


def test_a_kept_template_is_shown_without_being_compiled(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("area: {{ area }}") == "area: &lt;3 mm²&gt;"
    assert len(list(cache.iterdir())) == 1
    forbid_compiling(monkeypatch)
    assert shown("area: {{ area }}") == "area: &lt;3 mm²&gt;"


@pytest.mark.parametrize(
    "changed",
    [{"source": "areas: {{ area }}"}, {"name": "other.html"}, {"module": OTHER_MODULE}, {"frozen": (OTHER_MODULE,)}],
)
def test_another_source_name_or_environment_is_compiled_anew(
    cache: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, object]
) -> None:
    same: dict[str, object] = {"source": "area: {{ area }}"}
    shown(**same)  # type: ignore[arg-type]
    forbid_compiling(monkeypatch)
    with pytest.raises(AssertionError, match="compiled"):
        shown(**(same | changed))  # type: ignore[arg-type]


def test_another_version_of_jinja_compiles_anew(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown("area: {{ area }}")
    monkeypatch.setattr(kept_templates, "jinja_version", "0.0")
    shown("area: {{ area }}")
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damaged", [b"", b"nothing of ours", None])
def test_a_damaged_file_is_made_anew(cache: Path, damaged: bytes | None) -> None:
    shown("area: {{ area }}")
    [file] = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damaged is None else damaged)
    assert shown("area: {{ area }}") == "area: &lt;3 mm²&gt;"
    assert len(file.read_bytes()) == len(whole)


def test_where_everybody_may_write_a_kept_template_is_not_run(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown("area: {{ area }}")
    [file] = cache.iterdir()
    file.chmod(0o666)
    forbid_compiling(monkeypatch)
    with pytest.raises(AssertionError, match="compiled"):
        shown("area: {{ area }}")


def test_where_nothing_can_be_written_the_page_is_made_all_the_same(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert shown("area: {{ area }}") == "area: &lt;3 mm²&gt;"
