"""settings: the files that come with the package, found by name; the project's ``configs/`` is their one source."""

from collections.abc import Iterator
from pathlib import Path

from wsi_area.errors import SettingsError

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIX = ".toml"


def presets() -> dict[str, Path]:
    """Return the file of each preset by its name.

    A wheel carries them inside the package, a checkout has them beside it.
    """
    packaged = _PACKAGE / "presets"
    folder = packaged if packaged.is_dir() else _PACKAGE.parent / "configs"
    return {file.stem: file for file in sorted(folder.glob(f"*{_SUFFIX}"))}


def preset_text(name: str) -> str:
    """Return a preset as it is written, with its comments.

    Raises
    ------
    SettingsError
        There is none of this name; the nearest is named, and all of them.
    """
    known = presets()
    if name not in known:
        raise SettingsError(f"there is no preset {name!r}{instead(name)}")
    return known[name].read_text(encoding="utf-8")


def config_file(text: str | Path) -> Path:
    """Return the settings file that a path, or the name of a preset, stands for; a file of that name goes first.

    Raises
    ------
    SettingsError
        There is neither; the nearest preset is named, and all of them.
    """
    path, known = Path(text), presets()
    if path.exists() and not path.is_dir():
        return path
    if str(text) in known:
        return known[str(text)]
    what = "it is a folder" if path.is_dir() else "there is no such file"
    raise SettingsError(f"the settings file {text} cannot be read ({what}), nor is it a preset{instead(path.name)}")


def instead(name: str) -> str:
    """Return the presets as the end of a refusal, the one first that a wrong name is nearest to."""
    import difflib  # only where a name is wrong

    known = presets()
    near = difflib.get_close_matches(name.removesuffix(_SUFFIX), known, n=1)
    meant = f"did you mean {near[0]}? Presets" if near else "presets"
    return f"; {meant} are {', '.join(known)}"


def shown(path: Path) -> str:
    """Return the name of a settings file in messages: as a preset, or by its path as it was given."""
    preset = presets().get(path.stem)
    return f"preset {path.stem}" if path == preset else str(path)


def first_sentences() -> Iterator[tuple[str, str]]:
    """Yield the name of each preset, and what it is for: the comment in its first line."""
    for name, file in presets().items():
        with file.open(encoding="utf-8") as lines:
            yield name, lines.readline().removeprefix("#").strip()
