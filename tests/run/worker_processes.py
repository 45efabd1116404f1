"""The worker processes below a coordinator, found from outside: below /proc, which only Linux has."""

from pathlib import Path


def workers_below(pid: int) -> list[int]:
    """Return those that multiprocessing spawned, in ascending order; its resource tracker is none of them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = b"spawn_main" in (folder / "cmdline").read_bytes()
        except (OSError, ValueError):  # it has ended meanwhile
            continue
        if parent == pid and is_worker:
            found.append(int(folder.name))
    return sorted(found)
