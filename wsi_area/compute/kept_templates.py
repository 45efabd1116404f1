"""compute: templates that were compiled once, kept on disk like machine code: compiling takes as long as a slide."""

import hashlib
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2 import __version__ as jinja_version
from jinja2.bccache import Bucket

from wsi_area.compute.kept_code import place_for, places_for, read_code, source_of, write_code
from wsi_area.plain_text import plain_cell


def page_environment(templates: Path, module: str, **further: Any) -> Environment:
    """Return the environment in which pages are made: all that is put in is escaped, and an unknown name is an error.

    Parameters
    ----------
    templates : Path
        The folder of the templates.
    module : str
        The one that asks, beside which the compiled templates are kept.
    further
        Settings of Jinja's.
    """
    return Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        finalize=plain_cell,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=KeptTemplates(module, frozen=(plain_cell.__module__,)),
        **further,
    )


class KeptTemplates(BytecodeCache):
    """What Jinja compiled of the templates of one module; where nothing can be written, each process compiles anew.

    Parameters
    ----------
    module : str
        The one that makes the environment: with its source, the settings of the environment change.
    frozen : tuple of str
        Other modules whose functions are called while a template is compiled.
    """

    def __init__(self, module: str, frozen: tuple[str, ...] = ()) -> None:
        self._module = module
        digest = hashlib.sha256(f"{jinja_version}\0{sys.version}".encode())
        for source in (__name__, module, *frozen):
            digest.update(hashlib.sha256(source_of(source).read_bytes()).digest())
        self._versions = digest.digest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Put the code of a template into a bucket, if it is kept."""
        key = self._key(bucket)
        for place in places_for(self._module):
            code = read_code(place / _file_name(key), key)
            if code is not None:
                bucket.bytecode_from_string(code)
                return

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template; a page is as right without."""
        key, place = self._key(bucket), place_for(self._module)
        if place is not None:
            with suppress(OSError):  # a full disk: said where results are written
                write_code(place / _file_name(key), key, bucket.bytecode_to_string())

    def _key(self, bucket: Bucket) -> bytes:
        return hashlib.sha256(self._versions + f"{bucket.key}\0{bucket.checksum}".encode()).digest()


def _file_name(key: bytes) -> str:
    return f"template-{key.hex()[:24]}.code"
