"""How tables of sizes, of boxes and of ids name pictures: the end of a path, with / between folders."""
import os
from pathlib import Path
from typing import Collection, Optional


def listed_name(path: str, names: Collection[str]) -> Optional[str]:
    """Returns the longest of the names (see `plain_name`) that is the end of a path, whole folders each, or None."""
    parts = Path(os.path.abspath(path)).as_posix().split('/')
    return next((name for name in ('/'.join(parts[start:]) for start in range(len(parts))) if name in names), None)


def plain_name(name: object) -> str:
    """Returns the name that a file gives a picture, with / between folders and without `.` as a folder."""
    return '/'.join(part for part in str(name).replace('\\', '/').split('/') if part != '.')
