"""One labelled row to one training sample: the work of a data worker."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Tuple

import numpy as np

from fashionai.annotations import Annotations
from fashionai.codec.targets import encode_targets
from fashionai.dataflow.augment import apply_to_image, apply_to_points, draw_augmentation
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.photometry import photometric
from fashionai.dataflow.reading import read_image
from fashionai.garments import Garment

SAMPLE_FIELDS = ('image', 'heatmaps', 'fields', 'heatmap_weights', 'field_weights', 'types')
"""What a sample, and a batch, holds, in order: the network's input, the members of Targets, and the garment's type:
(T,) float32 in the order of the table of garments, 1 for its own."""

Key = Tuple[int, ...]
"""(epoch, row), and where an epoch draws the row again, how often it did before: 1 or more."""


@dataclass(frozen=True)
class InputShape:
    """The network's input (height, width) in pixels, and the pixels a cell of its maps."""

    input_hw: Tuple[int, int]
    stride: int


@dataclass(frozen=True)
class SampleEncoder:
    """Turns a key into a sample. Holds plain data only, so that worker processes can receive it.

    Randomness depends on seed and key alone: the same sample comes out whichever worker makes it. `options` say how
    pictures are varied, and whether occluded points count in the loss; how often rows are drawn is not seen to here.
    Threads may not share one.
    """

    annotations: Annotations
    image_root: Path
    garment: Garment
    shape: InputShape
    seed: int
    options: DataOptions = DataOptions()
    _image_ids: np.ndarray = field(init=False, repr=False, compare=False)
    """As one array: whoever reads a string counts a reference to it, and so a worker would copy what all share."""
    _random: np.random.RandomState = field(init=False, repr=False, compare=False)
    """Seeded anew for every sample, which is ten times as fast as another one of the same seed."""

    def __post_init__(self) -> None:
        image_ids = np.array([image_id.encode() for image_id in self.annotations.image_ids])
        object.__setattr__(self, '_image_ids', image_ids)
        object.__setattr__(self, '_random', np.random.RandomState())

    def __call__(self, key: Key) -> List[np.ndarray]:
        """The sample's arrays in the order of SAMPLE_FIELDS: uint8 (H, W, 3) BGR, then float32.

        Raises ValueError, naming the file, for an image that cannot be read.
        """
        row = key[1]
        self._random.seed([self.seed, *key])
        image = read_image(self.image_root / self._image_ids[row].decode())
        labels = self.annotations.keypoints[row, self.garment.csv_indices]
        augmentation = draw_augmentation(self._random, image.shape[:2], self.shape.input_hw, self.options.rotation)
        points, visibility = apply_to_points(augmentation, labels[:, :2], labels[:, 2], self.garment.mirror_indices)
        targets = encode_targets(self.garment, points, visibility, augmentation.view, self.shape.input_hw,
                                 self.shape.stride, self.options.count_occluded)
        picture = apply_to_image(augmentation, image, self.shape.input_hw)
        shown = picture[augmentation.shown]
        if self.options.photometric and shown.size:  # what is blank stays so, as it is at test time
            shown[:] = photometric(self._random, np.ascontiguousarray(shown))
        types = np.array([self.annotations.categories[row] == name for name in self.annotations.garments], np.float32)
        return [picture, targets.heatmaps, targets.fields, targets.heatmap_weights, targets.field_weights, types]
