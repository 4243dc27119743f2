"""How one network sees an image: its windows, and those of the mirror image, in one pass; the maps joined on canvases.

Letters: N images, W windows, K keypoints and L limbs of the type that is wanted, (h, w) the network's input in pixels,
S the canvas' side in pixels, G the side of the grid the canvas is drawn on: places of one pixel or several.
"""
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, mirroring, scaling, warp_image
from fashionai.inference.canvas import Placement, canvas_map, join_windows, placement_of
from fashionai.inference.tiling import TILINGS, Window
from fashionai.inference.windows import Scale, windows_of
from fashionai.networks.head_options import BACKBONE_STRIDE
from fashionai.networks.tensor_names import Forward


@dataclass(frozen=True)
class NetworkInput:
    """A network and the windows it sees. `forward` gives the channels of `garment`, which may be the joint one, in
    cells of `stride` pixels, from an input of `resolution_hw` = (h, w); `scales` name the windows it sees, and
    `tiling`, one of TILINGS, says how they are computed. `trained_hw` is the size that the network was trained at, the
    resolution where it is None.

    Raises InputError where the input is no multiple of 8, which a network of a finer stride wants too, and for an
    unknown tiling.
    """

    forward: Forward
    garment: Garment
    stride: int
    resolution_hw: Tuple[int, int]
    scales: Sequence[Scale]
    tiling: str = 'exact'
    trained_hw: Optional[Tuple[int, int]] = None

    def __post_init__(self) -> None:
        if self.tiling not in TILINGS:
            raise InputError(f'unknown way with windows {self.tiling!r}: wanted one of {", ".join(TILINGS)}')
        if any(side % BACKBONE_STRIDE for side in self.resolution_hw):
            raise InputError(f'resolution {self.resolution_hw[1]}x{self.resolution_hw[0]} does not suit the network: '
                             f'wanted multiples of {BACKBONE_STRIDE}')


@dataclass(frozen=True)
class Canvas:
    """What a network says of an image: heat maps (K, G, G), sigmoids; and, where wanted, fields (2 L, G, G)."""

    heatmaps: np.ndarray
    fields: Optional[np.ndarray]


@dataclass(frozen=True)
class _Plan:
    """The windows of images of one size, and where their maps come to lie."""

    windows: Sequence[Window]
    placements: Sequence[Placement]


_Passes = Sequence[Sequence[np.ndarray]]
"""Maps (channels, cells) by window, of an image and, where it is looked at, of its mirror image."""

_PLANS = 128
"""Sizes of images whose plans are kept."""


class HeatmapAggregator:
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

    def __init__(self, view: NetworkInput, garment: Garment, input_size: int, cell: int, flip: bool, join: str,
                 with_fields: bool) -> None:
        self._view, self._garment, self._size, self._join = view, garment, input_size, join
        self._cell, self._grid, self._with_fields = cell, input_size // cell, with_fields
        self._mirrors = (False, True) if flip else (False,)
        self._plan = lru_cache(maxsize=_PLANS)(self._planned)
        self._heatmap_channels = [view.garment.keypoints.index(name) for name in garment.keypoints]
        limbs = [view.garment.num_heatmaps + 2 * view.garment.limbs.index(limb) for limb in garment.limbs]
        self._field_channels = [channel for x in limbs for channel in (x, x + 1)]

    def paint(self, images: Sequence[np.ndarray]) -> List[Canvas]:
        """The canvases of images (h, w, 3) uint8 BGR, of any sizes; windows of one size, of all the images, go through
        the network together."""
        plans = [self._plan(image.shape[:2]) for image in images]
        maps = iter(self._seen([part for image, plan in zip(images, plans) for part in self._parts(image, plan)]))
        return [self._canvas([[next(maps) for _ in plan.windows] for _ in self._mirrors], plan) for plan in plans]

    def _planned(self, image_hw: Tuple[int, int]) -> _Plan:
        """How an image of a size is looked at."""
        view = self._view
        seen = windows_of(view.scales, self._size, view.resolution_hw, image_hw)
        windows = TILINGS[view.tiling](seen, view.resolution_hw, view.trained_hw or view.resolution_hw, image_hw,
                                       self._size)
        return _Plan(windows, [
            placement_of(compose(scaling(self._cell, self._cell), window.affine), self._grid,
                         (window.size_hw[0] // view.stride, window.size_hw[1] // view.stride), view.stride)
            for window in windows])

    def _parts(self, image: np.ndarray, plan: _Plan) -> List[np.ndarray]:
        """All windows of one image, then those of its mirror image; cut straight from the image's own pixels."""
        to_canvas = canvas_map(image.shape[:2], self._size)
        bases = [compose(to_canvas, mirroring(self._size)) if mirrored else to_canvas for mirrored in self._mirrors]
        return [warp_image(compose(base, window.affine), image, window.size_hw)
                for base in bases for window in plan.windows]

    def _seen(self, parts: Sequence[np.ndarray]) -> List[np.ndarray]:
        """The network's maps (channels, cells) of parts (h, w, 3) of images, each size in one pass."""
        sizes: Dict[Tuple[int, ...], List[int]] = {}
        for number, part in enumerate(parts):
            sizes.setdefault(part.shape[:2], []).append(number)
        maps: Dict[int, np.ndarray] = {}
        for numbers in sizes.values():
            batch = np.stack([parts[number] for number in numbers]).astype(np.float32)
            maps.update(zip(numbers, self._checked(self._view.forward(batch), batch.shape[1:3]).transpose(0, 3, 1, 2)))
        return [maps[number] for number in range(len(parts))]

    def _checked(self, maps: np.ndarray, input_hw: Tuple[int, int]) -> np.ndarray:
        wanted = tuple(side // self._view.stride for side in input_hw)
        if maps.shape[1:3] != wanted:
            raise InputError(f'the network gives maps of {maps.shape[1]}x{maps.shape[2]} cells for an input of '
                             f'{input_hw[0]}x{input_hw[1]} pixels: wanted {wanted[0]}x{wanted[1]}')
        return maps

    def _canvas(self, passes: _Passes, plan: _Plan) -> Canvas:
        heatmaps = [[_sigmoid(maps[self._heatmap_channels]) for maps in one] for one in passes]
        fields = [[maps[self._field_channels] for maps in one] for one in passes] if self._with_fields else None
        return Canvas(self._heatmaps(heatmaps, plan.placements),
                      None if fields is None else self._fields(fields, plan.placements))

    def _heatmaps(self, passes: _Passes, placements: Sequence[Placement]) -> np.ndarray:
        """(K, cells) maps of the windows of an image and its mirror image to its canvas, (K, G, G)."""
        canvas, *mirrored = [join_windows(maps, placements, self._grid, self._join) for maps in passes]
        for other in mirrored:
            canvas = (canvas + other[self._garment.mirror_indices, :, ::-1]) / 2
        return canvas

    def _fields(self, passes: _Passes, placements: Sequence[Placement]) -> np.ndarray:
        """The same for fields, (2 L, G, G), which have signs: windows are joined by their mean. A limb without a
        counterpart is taken from the image alone."""
        canvas, *mirrored = [join_windows(maps, placements, self._grid, 'average', neutral=0) for maps in passes]
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
    counterpart = dict(zip(garment.keypoints, garment.flipped_keypoints))
    mirrored = [tuple(counterpart[end] for end in limb) for limb in garment.limbs]
    return [(garment.limbs.index(limb), 1) if limb in garment.limbs else
            (garment.limbs.index(limb[::-1]), -1) if limb[::-1] in garment.limbs else (None, 1) for limb in mirrored]


def _sigmoid(maps: np.ndarray) -> np.ndarray:
    """float32, without overflow."""
    return 0.5 + 0.5 * np.tanh(maps.astype(np.float32) / 2)
