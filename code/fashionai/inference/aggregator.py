"""Runs one network on the windows of images and of their mirror images, and joins the maps of each image on its canvas.

Letters: N images, W windows, K keypoints and L limbs of the wanted type, (h, w) the network's input in pixels, S the
canvas' side in pixels, G the side of the canvas' grid, whose places are one pixel wide or several.
"""
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, mirroring, scaling, warp_image
from fashionai.inference.canvas import Placement, canvas_map, join_windows, placement_of
from fashionai.inference.windows import TILINGS, Window, WindowScale, windows_of
from fashionai.networks.head_options import BACKBONE_STRIDE
from fashionai.networks.tensor_names import Forward


@dataclass(frozen=True)
class NetworkInput:
    """A network and the windows that go through it.

    Attributes:
        forward: the network's function from images to maps.
        garment: the garment whose channels the maps have; it may be the joint garment.
        stride: of the maps' cells, in input pixels.
        resolution_hw: (h, w) of the input in pixels.
        scales: they define the windows; see windows.py.
        tiling: the name of a tiling, one of TILINGS.
        trained_hw: (height, width) in pixels of the input that the network was trained with; None: the resolution.

    Raises InputError if a side of the input is no multiple of 8, also for a network of a finer stride, and for an
    unknown tiling.
    """

    forward: Forward
    garment: Garment
    stride: int
    resolution_hw: Tuple[int, int]
    scales: Sequence[WindowScale]
    tiling: str = 'exact'
    trained_hw: Optional[Tuple[int, int]] = None

    def __post_init__(self) -> None:
        if self.tiling not in TILINGS:
            raise InputError(f'unknown tiling {self.tiling!r}: wanted one of {", ".join(TILINGS)}')
        if any(side % BACKBONE_STRIDE for side in self.resolution_hw):
            raise InputError(f'resolution {self.resolution_hw[1]}x{self.resolution_hw[0]} does not suit the network: '
                             f'wanted multiples of {BACKBONE_STRIDE}')


@dataclass(frozen=True)
class CanvasMaps:
    """The joined maps of one image.

    Attributes:
        heatmaps: (K, G, G) float32, sigmoids.
        fields: (2 L, G, G) float32, part affinity fields; None if they are not wanted.
    """

    heatmaps: np.ndarray
    fields: Optional[np.ndarray]


@dataclass(frozen=True)
class _Plan:
    """The windows of images of one size, and the places of their maps on the canvas."""

    windows: Sequence[Window]
    placements: Sequence[Placement]


_Passes = Sequence[Sequence[np.ndarray]]
"""Maps (channels, cells) of each window, first of an image, then of its mirror image if that is used."""

_PLANS = 128
"""The plans of so many image sizes are kept."""


class HeatmapAggregator:
    """Makes the canvases of one garment type with one network.

    Args:
        network_input: the network and its windows.
        garment: the type whose channels are wanted.
        input_size: S.
        cell: the width of a place of the grid, in canvas pixels.
        flip: whether the mirror image is used too.
        join: how windows are joined, one of `canvas.JOINS`.
        with_fields: whether the canvases have fields.
    """

    def __init__(self, network_input: NetworkInput, garment: Garment, input_size: int, cell: int, flip: bool, join: str,
                 with_fields: bool) -> None:
        self._network_input, self._garment, self._size, self._join = network_input, garment, input_size, join
        self._cell, self._grid, self._with_fields = cell, input_size // cell, with_fields
        self._mirrors = (False, True) if flip else (False,)
        self._plan = lru_cache(maxsize=_PLANS)(self._planned)
        channels = network_input.garment
        self._heatmap_channels = [channels.keypoints.index(name) for name in garment.keypoints]
        limbs = [channels.num_heatmaps + 2 * channels.limbs.index(limb) for limb in garment.limbs]
        self._field_channels = [channel for x in limbs for channel in (x, x + 1)]

    def aggregate(self, images: Sequence[np.ndarray]) -> List[CanvasMaps]:
        """Returns the canvas of each image (h, w, 3) uint8 BGR. Images may have any sizes; all windows of one size go
        through the network together."""
        plans = [self._plan(image.shape[:2]) for image in images]
        maps = iter(self._maps_of([part for image, plan in zip(images, plans) for part in self._parts(image, plan)]))
        return [self._canvas([[next(maps) for _ in plan.windows] for _ in self._mirrors], plan) for plan in plans]

    def _planned(self, image_hw: Tuple[int, int]) -> _Plan:
        """Returns the windows of an image of this size, and their placements."""
        resolution_hw, stride = self._network_input.resolution_hw, self._network_input.stride
        wanted = windows_of(self._network_input.scales, self._size, resolution_hw, image_hw)
        windows = TILINGS[self._network_input.tiling](
            wanted, resolution_hw, self._network_input.trained_hw or resolution_hw, image_hw, self._size)
        return _Plan(windows, [
            placement_of(compose(scaling(self._cell, self._cell), window.affine), self._grid,
                         (window.size_hw[0] // stride, window.size_hw[1] // stride), stride)
            for window in windows])

    def _parts(self, image: np.ndarray, plan: _Plan) -> List[np.ndarray]:
        """Returns all windows of an image, then those of its mirror image. They are sampled from the image itself."""
        to_canvas = canvas_map(image.shape[:2], self._size)
        bases = [compose(to_canvas, mirroring(self._size)) if mirrored else to_canvas for mirrored in self._mirrors]
        return [warp_image(compose(base, window.affine), image, window.size_hw)
                for base in bases for window in plan.windows]

    def _maps_of(self, parts: Sequence[np.ndarray]) -> List[np.ndarray]:
        """Returns the network's maps (channels, cells) of parts (h, w, 3) of images. Each size is one pass."""
        sizes: Dict[Tuple[int, ...], List[int]] = {}
        for number, part in enumerate(parts):
            sizes.setdefault(part.shape[:2], []).append(number)
        maps: Dict[int, np.ndarray] = {}
        for numbers in sizes.values():
            batch = np.stack([parts[number] for number in numbers]).astype(np.float32)
            output = self._checked(self._network_input.forward(batch), batch.shape[1:3])
            maps.update(zip(numbers, output.transpose(0, 3, 1, 2)))
        return [maps[number] for number in range(len(parts))]

    def _checked(self, maps: np.ndarray, input_hw: Tuple[int, int]) -> np.ndarray:
        wanted = tuple(side // self._network_input.stride for side in input_hw)
        if maps.shape[1:3] != wanted:
            raise InputError(f'the network gives maps of {maps.shape[1]}x{maps.shape[2]} cells for an input of '
                             f'{input_hw[0]}x{input_hw[1]} pixels: wanted {wanted[0]}x{wanted[1]}')
        return maps

    def _canvas(self, passes: _Passes, plan: _Plan) -> CanvasMaps:
        heatmaps = [[_sigmoid(maps[self._heatmap_channels]) for maps in one] for one in passes]
        fields = [[maps[self._field_channels] for maps in one] for one in passes] if self._with_fields else None
        return CanvasMaps(self._heatmaps(heatmaps, plan.placements),
                      None if fields is None else self._fields(fields, plan.placements))

    def _heatmaps(self, passes: _Passes, placements: Sequence[Placement]) -> np.ndarray:
        """Joins the heat maps (K, cells) of an image's windows and its mirror image's; returns (K, G, G)."""
        canvas, *mirrored = [join_windows(maps, placements, self._grid, self._join) for maps in passes]
        for other in mirrored:
            canvas = (canvas + other[self._garment.mirror_indices, :, ::-1]) / 2
        return canvas

    def _fields(self, passes: _Passes, placements: Sequence[Placement]) -> np.ndarray:
        """Joins fields in the same way; returns (2 L, G, G). Fields have signs, so windows are joined by their mean. If
        the table has no mirrored limb for a limb, its fields come from the image alone."""
        canvas, *mirrored = [join_windows(maps, placements, self._grid, 'average', neutral=0) for maps in passes]
        for other in mirrored:
            for limb, (counterpart, sign) in enumerate(mirror_limbs(self._garment)):
                if counterpart is not None:
                    for axis, turned in enumerate((-sign, sign)):
                        mirrored_field = turned * other[2 * counterpart + axis, :, ::-1]
                        canvas[2 * limb + axis] = (canvas[2 * limb + axis] + mirrored_field) / 2
        return canvas


def mirror_limbs(garment: Garment) -> List[Tuple[Optional[int], int]]:
    """Returns, for each limb, the number of the limb that it becomes in a mirrored image, and a sign.

    The number is None if the table has no such limb. The sign is -1 if the table lists it from the other end, else 1.
    """
    counterpart = dict(zip(garment.keypoints, garment.flipped_keypoints))
    mirrored = [tuple(counterpart[end] for end in limb) for limb in garment.limbs]
    return [(garment.limbs.index(limb), 1) if limb in garment.limbs else
            (garment.limbs.index(limb[::-1]), -1) if limb[::-1] in garment.limbs else (None, 1) for limb in mirrored]


def _sigmoid(maps: np.ndarray) -> np.ndarray:
    """Returns the sigmoid in float32, without overflow."""
    return 0.5 + 0.5 * np.tanh(maps.astype(np.float32) / 2)
