"""benchmarks: what reading ahead is worth on a slow share: the same slide behind a delay for each request.

``python -m benchmarks.slow_share SLIDE`` mounts the slide's folder once more through FUSE, each request answered only
after ``--delay-ms``, and measures the slide there with and without the hint that `DirectReader.read_ahead` gives, in
turn, from an empty cache. It needs Linux, root (for the cache), libfuse 2 and ``pip install fusepy``. It prints one
JSON line a run, then the ratio of the medians.
"""

import argparse
import errno
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

RULE = Path(__file__).with_name("rule.toml")
WITHOUT = "import os; del os.posix_fadvise; "  # a system that takes no hint
RUN = "import sys; from wsi_area.cli.main import main; sys.exit(main())"


def serve(source: str, mounted: str, delay_s: float) -> None:
    """Serve a folder read-only and late, until it is taken down."""
    from fuse import FUSE, FuseOSError, Operations

    class Late(Operations):  # type: ignore[misc]
        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            try:
                found = os.lstat(source + path)
            except OSError as error:
                raise FuseOSError(errno.ENOENT) from error
            return {k: getattr(found, k) for k in dir(found) if k.startswith("st_")}

        def readdir(self, path: str, fh: int) -> list[str]:
            return [".", "..", *os.listdir(source + path)]

        def open(self, path: str, flags: int) -> int:
            return os.open(source + path, os.O_RDONLY)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            time.sleep(delay_s)
            return os.pread(fh, size, offset)

        def release(self, path: str, fh: int) -> int:
            os.close(fh)
            return 0

    FUSE(Late(), mounted, foreground=True, ro=True, nothreads=False)


def inner_wall_s(slide: Path, *, ahead: bool) -> float:
    """Return the time that the tiles of a slide take, from an empty page cache."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as caches:
        caches.write("1")
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-c", ("" if ahead else WITHOUT) + RUN]
        arguments = ["run", slide, "--config", RULE, "--out", out, "--workers", "1", "--no-report"]
        subprocess.run([*command, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
        record = json.loads((Path(out) / "slides" / slide.stem / "result.json").read_text(encoding="utf-8"))
    return float(record["timing"]["inner_wall_s"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--delay-ms", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(str(given.slide), given.serve, given.delay_ms / 1000)
        return
    if not given.slide.is_file():
        raise SystemExit(f"{given.slide} is no file")
    with tempfile.TemporaryDirectory() as mounted:
        itself = [sys.executable, "-m", "benchmarks.slow_share", given.slide.resolve().parent, "--serve", mounted]
        server = subprocess.Popen([*map(str, itself), "--delay-ms", str(given.delay_ms)])
        slide = Path(mounted) / given.slide.name
        try:
            while not slide.exists():
                time.sleep(0.1)
                if server.poll() is not None:
                    raise SystemExit("FUSE did not come up; is fusepy installed, and may this user mount?")
            walls: dict[bool, list[float]] = {True: [], False: []}
            for repeat in range(given.repeats):
                for ahead in (False, True) if repeat % 2 else (True, False):
                    walls[ahead].append(inner_wall_s(slide, ahead=ahead))
                    print(json.dumps({"read_ahead": ahead, "inner_wall_s": walls[ahead][-1]}))
        finally:
            if subprocess.run(["umount", mounted], check=False).returncode:
                server.kill()
            server.wait()
    ratios = [with_it / without for with_it, without in zip(walls[True], walls[False], strict=True)]
    print(json.dumps({"delay_ms": given.delay_ms, "with ÷ without, median": median(ratios)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
