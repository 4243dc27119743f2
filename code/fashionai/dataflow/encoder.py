"""One labelled row to one training sample: the work of a data worker."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Tuple

import numpy as np

from fashionai.annotations import ABSENT, Annotations, image_path
from fashionai.codec.fields import InputBox
from fashionai.codec.targets import Targets, encode_targets
from fashionai.dataflow.augment import apply_to_image, apply_to_points, draw_augmentation
from fashionai.dataflow.cutout import cut_out
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.photometry import photometric
from fashionai.dataflow.sampling import Key
from fashionai.garments.table import Garment
from fashionai.images.decoder import read_image

SAMPLE_FIELDS = ('image', 'heatmaps', 'fields', 'heatmap_weights', 'field_weights', 'types')
"""What a sample, and a batch, holds, in order: the network's input, the members of Targets, and the garment's type:
(T,) float32 in the order of the table of garments, 1 for its own."""


@dataclass(frozen=True)
class InputShape:
    """The network's input (height, width) in pixels, and the pixels a cell of its maps."""

    input_hw: Tuple[int, int]
    stride: int


@dataclass(frozen=True, eq=False)
class AugmentedSample:
    """A labelled row as augmentation left it.

    picture: (H, W, 3) uint8 BGR, the network's input. points_xy, visibility: (K, 2) in input pixels and (K,), in the
    order of the garment's channels. view: the part of the input that shows the picture, as in Augmentation.
    """

    picture: np.ndarray
    points_xy: np.ndarray
    visibility: np.ndarray
    view: InputBox


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

        Raises InputError, naming the file, for an image that cannot be read.
        """
        moved = self.moved(key)
        targets = self.targets(moved)
        category, names = self.annotations.categories[key[1]], self.annotations.garments
        types = np.array([category == name for name in names], np.float32)
        return [moved.picture, targets.heatmaps, targets.fields, targets.heatmap_weights, targets.field_weights, types]

    def image(self, key: Key) -> np.ndarray:
        """The picture of the key's row as it is in its file: (h, w, 3) uint8 BGR; errors as above."""
        return read_image(image_path(self.image_root, self._image_ids[key[1]].decode()))

    def moved(self, key: Key) -> AugmentedSample:
        """The key's row, augmented; errors as above."""
        self._random.seed([self.seed, *key])
        image = self.image(key)
        labels = self.annotations.keypoints[key[1], self.garment.csv_indices]
        labelled_xy = labels[labels[:, 2] != ABSENT, :2]
        closer = self.options.garment_crops > 0 and self._random.uniform() < self.options.garment_crops
        augmentation = draw_augmentation(self._random, image.shape[:2], self.shape.input_hw, self.options.rotation,
                                         labelled_xy if closer else None)
        points, visibility = apply_to_points(augmentation, labels[:, :2], labels[:, 2], self.garment.mirror_indices)
        picture = apply_to_image(augmentation, image, self.shape.input_hw)
        shown = picture[augmentation.shown]
        if self.options.photometric and shown.size:  # what is blank stays so, as it is at test time
            shown[:] = photometric(self._random, np.ascontiguousarray(shown))
        if self.options.cutout > 0 and shown.size and self._random.uniform() < self.options.cutout:
            rows, columns = augmentation.shown
            cut_out(self._random, shown, points[visibility != ABSENT] - (columns.start, rows.start))
        return AugmentedSample(picture, points, visibility, augmentation.view)

    def targets(self, moved: AugmentedSample) -> Targets:
        """What the network learns from an augmented row."""
        return encode_targets(self.garment, moved.points_xy, moved.visibility, moved.view, self.shape.input_hw,
                              self.shape.stride, self.options.count_occluded)
