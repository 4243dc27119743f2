"""What a user should know of a data set, collected on the way and reported at the end."""
from collections import defaultdict
from typing import DefaultDict, List

Notes = DefaultDict[str, List[str]]
"""Names by what is said of them, so that `N <what is said>: <names>` reads well."""


def new_notes() -> Notes:
    """Notes without a note."""
    return defaultdict(list)
