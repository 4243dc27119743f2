"""How one network sees an image: its windows, and those of the mirror image, in one pass; the maps joined on canvases.

Letters: N images, W windows, K keypoints and L limbs of the type that is wanted, (h, w) the network's input in pixels,
S the canvas' side in pixels, G the side of the grid the canvas is drawn on: its pixels, or cells of several pixels.
"""
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np

from fashionai.garments import Garment, mirror_name
from fashionai.geometry import compose, mirroring, scaling, warp_image
from fashionai.inference.canvas import canvas_map, join_windows, placement_of
from fashionai.networks.contract import Forward
from fashionai.networks.head_options import TRUNK_STRIDE


@dataclass(frozen=True)
class View:
    """A network and the windows it sees. `forward` gives the channels of `garment`, which may be the joint one, in
    cells of `stride` pixels; `windows` (W, 2, 3) lead from the canvas to its input, `resolution_hw` = (h, w).

    Raises ValueError where the input is no multiple of 8, which a network of a finer stride wants too.
    """

    forward: Forward
    garment: Garment
    stride: int
    resolution_hw: Tuple[int, int]
    windows: np.ndarray

    def __post_init__(self) -> None:
        if any(side % TRUNK_STRIDE for side in self.resolution_hw):
            raise ValueError(f'resolution {self.resolution_hw[1]}x{self.resolution_hw[0]} does not suit the network: '
                             f'wanted multiples of {TRUNK_STRIDE}')

    @property
    def cells_hw(self) -> Tuple[int, int]:
        """Cells of the network's maps."""
        return self.resolution_hw[0] // self.stride, self.resolution_hw[1] // self.stride


@dataclass(frozen=True)
class Canvas:
    """What a network says of an image: heat maps (K, G, G), sigmoids; and, where wanted, fields (2 L, G, G)."""

    heatmaps: np.ndarray
    fields: Optional[np.ndarray]


class Painter:
    """Draws canvases of a garment type with one view.

    Args:
        view: the network.
        garment: the type whose channels are wanted.
        input_size: S.
        cell: canvas pixels a place of the grid.
        flip: whether to look at the mirror image too.
        join: one of `canvas.JOINS`.
        with_fields: whether to draw the fields too.
    """

    def __init__(self, view: View, garment: Garment, input_size: int, cell: int, flip: bool, join: str,
                 with_fields: bool) -> None:
        self._view, self._garment, self._size, self._join = view, garment, input_size, join
        self._grid, self._with_fields = input_size // cell, with_fields
        self._mirrors = (False, True) if flip else (False,)
        self._placements = [placement_of(compose(scaling(cell, cell), window), self._grid, view.cells_hw, view.stride)
                            for window in view.windows]
        self._heatmap_channels = [view.garment.keypoints.index(name) for name in garment.keypoints]
        limbs = [view.garment.num_heatmaps + 2 * view.garment.limbs.index(limb) for limb in garment.limbs]
        self._field_channels = [channel for x in limbs for channel in (x, x + 1)]

    def paint(self, images: Sequence[np.ndarray]) -> List[Canvas]:
        """The canvases of images (h, w, 3) uint8 BGR, of any sizes; all go through the network together."""
        maps = self._checked(self._view.forward(np.concatenate([self._cut(image) for image in images])))
        heatmaps = maps[..., self._heatmap_channels].astype(np.float32)
        heatmaps = 0.5 + 0.5 * np.tanh(heatmaps / 2)  # the sigmoid, without overflow
        fields = maps[..., self._field_channels] if self._with_fields else None
        return [Canvas(self._heatmaps(one), None if fields is None else self._fields(two))
                for one, two in zip(self._passes(heatmaps, images),
                                    len(images) * [None] if fields is None else self._passes(fields, images))]

    def _passes(self, maps: np.ndarray, images: Sequence[np.ndarray]) -> np.ndarray:
        """(N, 1 or 2, W, channels, cells)."""
        maps = maps.transpose(0, 3, 1, 2)
        return maps.reshape((len(images), len(self._mirrors), len(self._placements)) + maps.shape[1:])

    def _cut(self, image: np.ndarray) -> np.ndarray:
        """All windows of one image, then those of its mirror image; cut straight from the image's own pixels."""
        to_canvas = canvas_map(image.shape[:2], self._size)
        bases = [compose(to_canvas, mirroring(self._size)) if mirrored else to_canvas for mirrored in self._mirrors]
        return np.stack([warp_image(compose(base, window), image, self._view.resolution_hw)
                         for base in bases for window in self._view.windows]).astype(np.float32)

    def _checked(self, maps: np.ndarray) -> np.ndarray:
        if maps.shape[1:3] != self._view.cells_hw:
            raise ValueError(
                f'the network gives maps of {maps.shape[1]}x{maps.shape[2]} cells for an input of '
                f'{self._view.resolution_hw[0]}x{self._view.resolution_hw[1]} pixels: wanted '
                f'{self._view.cells_hw[0]}x{self._view.cells_hw[1]}')
        return maps

    def _heatmaps(self, passes: np.ndarray) -> np.ndarray:
        """(1 or 2, W, K, cells) maps of an image and its mirror image to its canvas, (K, G, G)."""
        canvas, *mirrored = [join_windows(maps, self._placements, self._grid, self._join) for maps in passes]
        for other in mirrored:
            canvas = (canvas + other[self._garment.mirror_indices, :, ::-1]) / 2
        return canvas

    def _fields(self, passes: np.ndarray) -> np.ndarray:
        """The same for fields, (2 L, G, G), which have signs: windows are joined by their mean. A limb without a
        counterpart is taken from the image alone."""
        canvas, *mirrored = [join_windows(maps, self._placements, self._grid, 'average', neutral=0) for maps in passes]
        for other in mirrored:
            for limb, (counterpart, sign) in enumerate(mirror_limbs(self._garment)):
                if counterpart is not None:
                    for axis, turned in enumerate((-sign, sign)):
                        seen = turned * other[2 * counterpart + axis, :, ::-1]
                        canvas[2 * limb + axis] = (canvas[2 * limb + axis] + seen) / 2
        return canvas


def mirror_limbs(garment: Garment) -> List[Tuple[Optional[int], int]]:
    """What each limb becomes in a mirrored image: the number of a limb, None where the table has none, and 1, or -1
    where that one is listed from the other end."""
    mirrored = [tuple(mirror_name(end) for end in limb) for limb in garment.limbs]
    return [(garment.limbs.index(limb), 1) if limb in garment.limbs else
            (garment.limbs.index(limb[::-1]), -1) if limb[::-1] in garment.limbs else (None, 1) for limb in mirrored]
