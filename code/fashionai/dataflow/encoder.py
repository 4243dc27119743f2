"""Turns one labelled row into one training sample. This is the work of a data worker."""
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
"""The arrays of a sample, and of a batch, in order: the network's input, the members of Targets, the garment's type:
(T,) float32 in the order of the garment table, 1 for its own type and 0 for the others."""


@dataclass(frozen=True)
class InputShape:
    """The network's input (height, width) in pixels, and the stride: input pixels per cell of the maps."""

    input_hw: Tuple[int, int]
    stride: int


@dataclass(frozen=True, eq=False)
class AugmentedSample:
    """A labelled row after augmentation.

    picture: (H, W, 3) uint8 BGR, the network's input. points_xy, visibility: (K, 2) in input pixels and (K,), in the
    order of the garment's channels. view: the part of the input that shows the picture, as in Augmentation.
    """

    picture: np.ndarray
    points_xy: np.ndarray
    visibility: np.ndarray
    view: InputBox


@dataclass(frozen=True)
class SampleEncoder:
    """Turns a key into a sample. It holds only plain data, so that worker processes can receive it.

    The random numbers depend only on the seed and the key, so every worker makes the same sample from a key. `options`
    define how pictures are varied and whether occluded points count in the loss; how often rows are drawn is defined
    elsewhere. Threads must not share an encoder.
    """

    annotations: Annotations
    image_root: Path
    garment: Garment
    shape: InputShape
    seed: int
    options: DataOptions = DataOptions()
    _image_ids: np.ndarray = field(init=False, repr=False, compare=False)
    """One array: reading a string changes its reference count, so each worker would copy the memory that all share."""
    _random: np.random.RandomState = field(init=False, repr=False, compare=False)
    """Seeded again for every sample, which is ten times as fast as a new generator."""

    def __post_init__(self) -> None:
        image_ids = np.array([image_id.encode() for image_id in self.annotations.image_ids])
        object.__setattr__(self, '_image_ids', image_ids)
        object.__setattr__(self, '_random', np.random.RandomState())

    def __call__(self, key: Key) -> List[np.ndarray]:
        """Returns the arrays of the sample in the order of SAMPLE_FIELDS: uint8 (H, W, 3) BGR, then float32.

        Raises InputError, naming the file, for an image that cannot be read.
        """
        sample = self.augmented(key)
        targets = self.targets(sample)
        category, names = self.annotations.categories[key[1]], self.annotations.garments
        types = np.array([category == name for name in names], np.float32)
        return [sample.picture, targets.heatmaps, targets.fields, targets.heatmap_weights, targets.field_weights, types]

    def image(self, key: Key) -> np.ndarray:
        """Returns the picture of the key's row as it is in the file, (h, w, 3) uint8 BGR. Raises as above."""
        return read_image(image_path(self.image_root, self._image_ids[key[1]].decode()))

    def augmented(self, key: Key) -> AugmentedSample:
        """Returns the key's row, augmented. Raises as above."""
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
        if self.options.photometric and shown.size:  # the blank part stays blank, as at test time
            shown[:] = photometric(self._random, np.ascontiguousarray(shown))
        if self.options.cutout > 0 and shown.size and self._random.uniform() < self.options.cutout:
            rows, columns = augmentation.shown
            cut_out(self._random, shown, points[visibility != ABSENT] - (columns.start, rows.start))
        return AugmentedSample(picture, points, visibility, augmentation.view)

    def targets(self, sample: AugmentedSample) -> Targets:
        """Returns the training targets of an augmented row."""
        return encode_targets(self.garment, sample.points_xy, sample.visibility, sample.view, self.shape.input_hw,
                              self.shape.stride, self.options.count_occluded)
