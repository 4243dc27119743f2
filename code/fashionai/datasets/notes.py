"""Notes: what a user should know about a data set, collected while it is read and reported at the end."""
from collections import defaultdict
from typing import DefaultDict, List

Notes = DefaultDict[str, List[str]]
"""From a remark to the names of the files or images that it is about; reported as `<count> <remark>: <names>`."""


def new_notes() -> Notes:
    """Returns empty notes."""
    return defaultdict(list)


def first_names(notes: Notes) -> str:
    """Returns each remark with its count and its first name, as the end of an error message."""
    return ''.join(f'; {len(names)} {remark}: {names[0]}' for remark, names in notes.items() if names)
