"""Adds the pictures that a user names to a project. Pictures are read only: the project keeps their paths and sums."""
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.images.headers import FORMATS, header_of
from fashionai.images.sources import MediaFile, sources_of
from fashionai.labelling.store import Store


@dataclass(frozen=True)
class Added:
    """What came of the files: the numbers of new and of known pictures, and one line for each file left out."""

    new: int
    known: int
    faults: Sequence[str]


def add_pictures(store: Store, paths: Sequence[str], megapixels: float) -> Added:
    """Adds the pictures of files, folders and patterns to a project. A picture that it has already, by its bytes, only
    gets its new path.

    Args:
        store: of the project.
        paths: as `images.sources.sources_of` takes them. Videos are left out.
        megapixels: larger pictures are left out.
    """
    results: List[bool] = []
    faults: List[str] = []
    for source in sources_of(paths):
        try:
            sum, size_hw = _examined(source, megapixels)
            results.append(store.add_picture(sum, str(Path(source.path).resolve()), source.name, size_hw))
        except (InputError, OSError) as error:
            faults.append(f'{source.path}: {getattr(error, "strerror", None) or error}')
    return Added(results.count(True), results.count(False), faults)


def _examined(source: MediaFile, megapixels: float) -> Tuple[str, Tuple[int, int]]:
    """Returns the checksum of a picture and its upright (height, width). Raises InputError if it is no picture."""
    if source.fault or source.is_video:
        raise InputError(source.fault or 'a video: wanted pictures')
    data = Path(source.path).read_bytes()
    header = header_of(data)
    if header is None:
        raise InputError(f'not a picture of a supported format: wanted {", ".join(FORMATS)}')
    if header.megapixels > megapixels:
        raise InputError(f'{header.megapixels:.1f} million pixels: at most {megapixels:g} million are allowed')
    return hashlib.sha256(data).hexdigest(), header.upright_hw
