"""Which type the garment of a photograph is, by a network that tells it.

Letters: N images, T garment types.
"""
from typing import Sequence, Tuple

import numpy as np

from fashionai.images.geometry import compose, mirroring, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import windows_of
from fashionai.networks.tensor_names import TypedForward

SURE = 0.8
"""A type that is less probable than this is unsure: a person had better look."""


def type_probabilities(look: TypedForward, images: Sequence[np.ndarray], input_hw: Tuple[int, int]) -> np.ndarray:
    """(N, T) the probability of each type that the network tells, in its order: the mean of what it says of the whole
    image (h, w, 3) uint8 BGR, and of its mirror image, in the middle of an input of `input_hw` pixels."""
    side = max(input_hw)
    looks = [warp_image(compose(canvas_map(image.shape[:2], side), turned,
                                windows_of([1.0], side, input_hw, image.shape[:2])[0]), image, input_hw)
             for turned in (np.eye(2, 3), mirroring(side)) for image in images]
    _, probabilities = look(np.stack(looks).astype(np.float32))
    assert probabilities is not None, 'the network tells types'
    return probabilities.reshape(2, len(images), -1).mean(axis=0)


def confusion(right: Sequence[str], told: Sequence[str], types: Sequence[str]) -> np.ndarray:
    """(T, T) int: how many images of each type (rows) were told to be of each (columns)."""
    counts = np.zeros((len(types), len(types)), int)
    for one, other in zip(right, told):
        counts[types.index(one), types.index(other)] += 1
    return counts


def format_types(right: Sequence[str], order: Sequence[Sequence[str]], types: Sequence[str]) -> str:
    """A table of how often types were told right, at once and among the first two, and of which were taken for which.

    `order` holds the types of each image, the most probable first.
    """
    told = [names[0] for names in order]
    first = np.mean([one == other for one, other in zip(right, told)])
    second = np.mean([one in names[:2] for one, names in zip(right, order)])
    width = max(map(len, types)) + 2
    lines = [f'the type is right in {first:.1%} of {len(right)} images, and among the first two in {second:.1%}', '',
             'of' + ' ' * (width - 2) + ''.join(f'{name:>{width}}' for name in types) + '  were taken for']
    for name, counts in zip(types, confusion(right, told, types)):
        lines.append(f'{name:<{width}}' + ''.join(f'{count:>{width}}' for count in counts))
    return '\n'.join(lines)
