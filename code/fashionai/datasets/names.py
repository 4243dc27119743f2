"""The names that other people's files have for our garment types and keypoints."""
from pathlib import Path
from typing import Mapping, Tuple

from fashionai.errors import InputError, shown
from fashionai.files import read_json
from fashionai.garments.table import Garment, Garments

Names = Mapping[str, Tuple[str, Mapping[str, str]]]
"""From the name of a category to its garment type, and from their keypoint names to those of the type."""


def own_names(garments: Garments) -> Names:
    """Returns names for categories and keypoints that are called as ours are, as in the files that we write."""
    return {tag: (tag, {name: name for name in garment.keypoints}) for tag, garment in garments.items()}


def read_names(path: Path, garments: Garments) -> Names:
    """Reads a JSON file such as {"category": {"type": "blouse", "keypoints": {"left collar": "neckline_left"}}}.

    Raises InputError that names file and key for any other content, and for types and keypoints that the garment table
    does not have.
    """
    table = read_json(path)
    try:
        names = {category: (str(mapping['type']), dict(mapping['keypoints'])) for category, mapping in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f'{path}: wanted JSON of categories, each with our `type`, and `keypoints`, our name by '
                         'theirs') from None
    for category, (tag, keypoints) in names.items():
        if tag not in garments:
            raise InputError(f'{path}, {category}, type: {shown(tag)}, wanted one of {garments}')
        for theirs, name in keypoints.items():
            if name not in garments[tag].keypoints:
                raise InputError(f'{path}, {category}, keypoints, {theirs}: {shown(name)} is not a keypoint of {tag}; '
                                 f'wanted one of {", ".join(garments[tag].keypoints)}')
    return names


def with_swapped_sides(names: Names, garments: Garments) -> Names:
    """Returns the same names with left and right exchanged, for labels that mean the wearer's sides."""
    return {category: (tag, _swapped(keypoints, garments[tag])) for category, (tag, keypoints) in names.items()}


def _swapped(keypoints: Mapping[str, str], garment: Garment) -> Mapping[str, str]:
    others = dict(zip(garment.keypoints, garment.flipped_keypoints))
    return {theirs: others[name] for theirs, name in keypoints.items()}
