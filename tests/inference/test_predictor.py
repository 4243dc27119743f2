"""A stand-in network that finds coloured dots: what it sees is found again in the image's own pixels."""
import importlib.util
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import cv2
import numpy as np
import pytest

from fashionai.codec.fields import encode_fields
from fashionai.garments.table import GARMENTS, Garment
from fashionai.inference.aggregator import NetworkInput
from fashionai.inference.predictor import KeypointPrediction, PredictionOptions, Predictor
from fashionai.inference.windows import DEFAULT_SCALES, TILINGS, parse_scales

ROOT = Path(__file__).resolve().parents[2]
SKIRT, DRESS = GARMENTS['skirt'], GARMENTS['dress']
PAIR_COLOURS: Dict[str, Tuple[int, int]] = {'waistband': (255, 0), 'hemline': (0, 255)}
"""Blue and red of a pair's dots; which of the two a dot is shows in the slope of the green behind it."""

SIZES_HW = [(512, 512), (290, 512), (1000, 640), (97, 60)]
PLACES = {'waistband_left': (0.34, 0.22), 'waistband_right': (0.62, 0.17), 'hemline_left': (0.2, 0.8),
          'hemline_right': (0.86, 0.73)}


def dotted(image_hw: Tuple[int, int], garment: Garment = SKIRT) -> Tuple[np.ndarray, np.ndarray]:
    """A picture (h, w, 3), green growing to the right, with a dot at each place, and the dots' pixels (K, 2)."""
    height, width = image_hw
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 1] = np.linspace(40, 200, width)
    points = np.array([np.rint(np.multiply(PLACES[name], (width, height))) for name in garment.keypoints])
    rows, columns = np.mgrid[0:height, 0:width]
    for name, (x, y) in zip(garment.keypoints, points):
        disc = (columns - x) ** 2 + (rows - y) ** 2 <= (0.025 * max(image_hw)) ** 2
        image[disc, 0], image[disc, 2] = PAIR_COLOURS[name.split('_')[0]]
    return image, points


def dots_of(window: np.ndarray, blue_red: Tuple[int, int]) -> List[Tuple[float, float]]:
    """Middles of the whole dots of a colour that a window shows."""
    mask = (np.abs(window[:, :, 0] - blue_red[0]) < 128) & (np.abs(window[:, :, 2] - blue_red[1]) < 128)
    count, _, boxes, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    height, width = mask.shape
    return [tuple(middle) for (x, y, w, h, _), middle in list(zip(boxes, middles))[1:count]
            if x > 0 and y > 0 and x + w < width and y + h < height]


class DotNetwork:
    """Maps like a trained network's: a Gaussian of 8 pixels for every dot, named by the side of the picture it is on.

    Which side that is, a real network reads from the garment; this one from the green, which grows to the right in the
    picture and to the left in its mirror image. There a dot drawn as the left one has to be called the right one.
    """

    def __init__(self, garment: Garment = SKIRT, stride: int = 8) -> None:
        self.garment, self.stride, self.batches = garment, stride, []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.float32
        self.batches.append(len(images))
        return np.stack([self._maps(image) for image in images])

    def _maps(self, window: np.ndarray) -> np.ndarray:
        height, width = (side // self.stride for side in window.shape[:2])
        y, x = np.mgrid[0:height, 0:width] * self.stride + (self.stride - 1) / 2
        maps = np.zeros((height, width, self.garment.num_heatmaps + self.garment.num_fields), np.float32)
        lit = window[:, :, 1] > 30
        columns = np.nonzero(lit)[1]
        grows = len(columns) > 0 and np.corrcoef(columns, window[:, :, 1][lit])[0, 1] > 0
        for name, colours in PAIR_COLOURS.items():
            for dot_x, dot_y in dots_of(window, colours):
                green = window[int(round(dot_y)), int(round(dot_x)), 1]
                drawn_left = green < 40 + 160 * 0.49
                side = 'left' if drawn_left == grows else 'right'
                gaussian = np.exp(-((x - dot_x) ** 2 + (y - dot_y) ** 2) / (2 * 8 ** 2))
                maps[:, :, self.garment.keypoints.index(f'{name}_{side}')] += gaussian
        return maps


def predict(network: DotNetwork, images: List[np.ndarray], scales: str, resolution_hw: Tuple[int, int] = (368, 368),
            tiling: str = 'exact', trained_hw: Optional[Tuple[int, int]] = None,
            **choices: object) -> List[KeypointPrediction]:
    network_input = NetworkInput(network, network.garment, network.stride, resolution_hw, parse_scales(scales), tiling,
                                 trained_hw)
    return Predictor([network_input], SKIRT, PredictionOptions(368, **choices)).predict(images)


@pytest.mark.parametrize('tiling', TILINGS)
@pytest.mark.parametrize('scales, join', [
    ('[None]', 'addup'), ('[1.0]', 'addup'), ('[0.75]', 'addup'), ('[(1.5, 0.3)]', 'addup'),
    ('[1.0, (0.5, 0.25, 1.5)]', 'addup'), (DEFAULT_SCALES, 'addup'), ('[1.0, 0.75, (0.8, 0.5), None]', 'average')])
def test_points_are_found_within_a_pixel(scales: str, join: str, tiling: str) -> None:
    images, points = zip(*[dotted(image_hw) for image_hw in SIZES_HW])
    predictions = predict(DotNetwork(), list(images), scales, tiling=tiling, join=join)
    for image_hw, found, wanted in zip(SIZES_HW, predictions, points):
        np.testing.assert_allclose(found.points_xy, wanted, atol=1, err_msg=str(image_hw))
        assert found.valid.all()


@pytest.mark.parametrize('resolution_hw', [(256, 256), (432, 432), (320, 400)])
@pytest.mark.parametrize('flip, tiling', [(False, 'exact'), (True, 'exact'), (True, 'merged')])
def test_other_resolutions(resolution_hw: Tuple[int, int], flip: bool, tiling: str) -> None:
    image, points = dotted((400, 512))
    for scales in ('[None]', '[(1.2, 0.2)]'):
        found, = predict(DotNetwork(), [image], scales, resolution_hw, tiling, flip=flip)
        np.testing.assert_allclose(found.points_xy, points, atol=1)


@pytest.mark.parametrize('resolution_hw', [(256, 320), (320, 256), (368, 656), (656, 368)])
@pytest.mark.parametrize('tiling', TILINGS)
def test_inputs_that_are_not_square_leave_nothing_out(resolution_hw: Tuple[int, int], tiling: str) -> None:
    """Points near the edges of upright, square and lying pictures."""
    images, points = zip(*[dotted(image_hw) for image_hw in SIZES_HW])
    for scales in ('[1.0]', DEFAULT_SCALES, '[(1.3, 0.3)]'):
        for trained_hw in (None, (256, 192)):
            predictions = predict(DotNetwork(), list(images), scales, resolution_hw, tiling, trained_hw)
            for found, wanted in zip(predictions, points):
                np.testing.assert_allclose(found.points_xy, wanted, atol=1.5)
                assert found.valid.all()


def test_mirrored_passes_bear_the_points_alone() -> None:
    """A network blind to upright pictures: the points come from the mirrored half of the batch, sides put right."""
    class Blind(DotNetwork):
        def __call__(self, images: np.ndarray) -> np.ndarray:
            maps = super().__call__(images)
            maps[:len(maps) // 2] = 0
            return maps

    image, points = dotted((512, 400))
    found, = predict(Blind(), [image], '[1.0]')
    np.testing.assert_allclose(found.points_xy, points, atol=1)


def test_everything_goes_in_one_batch() -> None:
    network = DotNetwork()
    predict(network, [dotted((300, 200))[0]] * 3, DEFAULT_SCALES)
    predict(network, [dotted((300, 200))[0]], '[1.0, None]', flip=False)
    assert network.batches == [3 * 6 * 2, 2]


def test_merged_windows_go_in_a_batch_a_size() -> None:
    """Of the default's two windows an image, two sizes: those of three alike, then those of two that are not."""
    network = DotNetwork()
    predict(network, [dotted((300, 200))[0]] * 3, DEFAULT_SCALES, tiling='merged')
    predict(network, [dotted((300, 200))[0], dotted((200, 300))[0]], DEFAULT_SCALES, tiling='merged', flip=False)
    assert network.batches == [3 * 2, 3 * 2, 1, 1, 1, 1]


@pytest.mark.parametrize('tiling', TILINGS)
def test_images_of_a_batch_do_not_mix(tiling: str) -> None:
    images = [dotted(image_hw)[0] for image_hw in SIZES_HW[1:3]]
    together = predict(DotNetwork(), images, '[1.0, (0.5, 0.5, 1.5)]', tiling=tiling)
    for image, found in zip(images, together):
        alone, = predict(DotNetwork(), [image], '[1.0, (0.5, 0.5, 1.5)]', tiling=tiling)
        np.testing.assert_array_equal(alone.points_xy, found.points_xy)


def test_another_stride() -> None:
    image, points = dotted((512, 512))
    found, = predict(DotNetwork(stride=4), [image], '[1.0]')
    np.testing.assert_allclose(found.points_xy, points, atol=1)


def test_a_joint_network_is_read_by_name() -> None:
    image, points = dotted((500, 300))
    found, = predict(DotNetwork(GARMENTS.joint), [image], '[1.0]')
    np.testing.assert_allclose(found.points_xy, points, atol=1)


def test_heatmaps_lie_on_the_canvas() -> None:
    """512 x 256 on a canvas of 368, two pixels a place: the image fills columns 46 to 138."""
    image, points = dotted((512, 256))
    network_input = NetworkInput(DotNetwork(), SKIRT, 8, (368, 368), [1.0])
    canvas = Predictor([network_input], SKIRT, PredictionOptions(368)).canvases([image])[0].heatmaps
    assert canvas.shape == (4, 184, 184) and canvas.dtype == np.float32
    expected = (points + 0.5) * 184 / 512 - 0.5 + (46, 0)
    highest = [np.unravel_index(canvas[channel].argmax(), (184, 184))[::-1] for channel in range(4)]
    np.testing.assert_allclose(highest, expected, atol=0.8)
    assert 0.68 < canvas.max() <= 0.74  # the sigmoid of 1, blurred


def blob_network(garment: Garment, points_xy: np.ndarray) -> object:
    """A network for images of 368 x 368 at one scale that sees a garment's points (K, 2), those not nan, anywhere."""
    def forward(images: np.ndarray) -> np.ndarray:
        y, x = np.mgrid[0:46, 0:46] * 8 + 3.5
        maps = np.zeros((len(images), 46, 46, garment.num_heatmaps + garment.num_fields), np.float32)
        for channel, (px, py) in enumerate(points_xy):
            if np.isfinite(px):
                maps[..., channel] = np.exp(-((x - px) ** 2 + (y - py) ** 2) / 128)
        return maps
    return forward


def predict_blobs(garment: Garment, points_xy: np.ndarray,
                  image_hw: Tuple[int, int] = (368, 368)) -> KeypointPrediction:
    network_input = NetworkInput(blob_network(garment, points_xy), garment, 8, (368, 368), [1.0])
    predictor = Predictor([network_input], garment, PredictionOptions(368, flip=False))
    return predictor.predict([np.zeros(image_hw + (3,), np.uint8)])[0]


def test_peaks_in_the_padding_are_not_taken() -> None:
    """The image covers columns 92 to 276; the dot at 40 lies left of them, so its point sticks to the border."""
    points = np.array([(40., 100.), (250., 120.), (120., 300.), (240., 310.)])
    found = predict_blobs(SKIRT, points, (512, 256))
    assert found.valid.tolist() == [False, True, True, True]
    assert (found.points_xy >= 0).all() and (found.points_xy <= (255, 511)).all()
    assert found.points_xy[0, 0] < 1


def test_a_clear_peak_on_the_border_is_found() -> None:
    """A hem that the picture cuts off has its points on the picture's last row."""
    points = np.array([(100., 100.), (250., 120.), (120., 367.), (240., 364.)])
    found = predict_blobs(SKIRT, points)
    assert found.valid.all()
    np.testing.assert_allclose(found.points_xy, points, atol=3)


def test_flat_maps_are_invalid_but_have_a_place() -> None:
    points = np.array([(np.nan, np.nan), (250., 120.), (120., 300.), (240., 310.)])
    found = predict_blobs(SKIRT, points)
    assert found.valid.tolist() == [False, True, True, True]
    assert (found.points_xy >= 0).all() and (found.points_xy <= 367).all()


def test_lost_waist_and_hem_of_a_dress_are_filled_in_where_the_others_say() -> None:
    from fashionai.garments.shapes import shape_of
    shape = shape_of('dress')
    places = dict(zip(shape.keypoints, shape.mean_xy * 250 + (190, 180)))
    truth = np.array([places[name] for name in DRESS.keypoints])
    shown = truth.copy()
    for name in ('waistline_left', 'hemline_right', 'cuff_left_in'):
        shown[DRESS.keypoints.index(name)] = np.nan
    found = predict_blobs(DRESS, shown)
    errors = np.hypot(*(found.points_xy - truth).T)
    assert errors[DRESS.keypoints.index('waistline_left')] < 2 and errors[DRESS.keypoints.index('hemline_right')] < 2
    assert errors[DRESS.keypoints.index('cuff_left_in')] > 10  # keeps the arg-max of its flat map
    assert found.valid.sum() == len(DRESS.keypoints) - 3


@pytest.mark.parametrize('image_hw', [(1, 1), (1, 700), (3, 2)])
def test_tiny_images_have_points_inside_them(image_hw: Tuple[int, int]) -> None:
    found = predict_blobs(SKIRT, np.full((4, 2), 180.), image_hw)
    assert (found.points_xy >= 0).all() and (found.points_xy <= np.array(image_hw[::-1]) - 1).all()


def test_what_does_not_suit_is_refused() -> None:
    with pytest.raises(ValueError, match=r'368x300.*\b8\b'):
        NetworkInput(DotNetwork(), SKIRT, 8, (300, 368), [1.0])
    with pytest.raises(ValueError, match="'most'.*exact, merged"):
        NetworkInput(DotNetwork(), SKIRT, 8, (368, 368), [1.0], 'most')
    with pytest.raises(ValueError, match='addup, average'):
        PredictionOptions(368, join='sum')
    with pytest.raises(ValueError, match='92x92 cells.*wanted 46x46'):
        network_input = NetworkInput(DotNetwork(stride=4), SKIRT, 8, (368, 368), [1.0])
        Predictor([network_input], SKIRT, PredictionOptions(368)).predict([dotted((99, 99))[0]])
    with pytest.raises(ValueError, match=r'--decode dark.*--inputsize 300.*\b8 pixels'):
        Predictor([NetworkInput(DotNetwork(), SKIRT, 8, (368, 368), [1.0])], SKIRT,
                  PredictionOptions(300, decode='dark'))


@pytest.mark.parametrize('decode, within', [('bicubic', 0.6), ('dark', 0.6), ('quarter', 4), ('plain', 6)])
@pytest.mark.parametrize('image_hw', SIZES_HW[:2])
def test_cells_are_in_the_right_places_for_every_decoding(decode: str, within: float,
                                                          image_hw: Tuple[int, int]) -> None:
    """Half a cell of 8 is 4 pixels of the canvas, 5.6 of an image of 512; a shifted convention would show."""
    image, points = dotted(image_hw)
    found, = predict(DotNetwork(), [image], '[1.0]', decode=decode)
    np.testing.assert_allclose(found.points_xy, points, atol=within)
    assert found.valid.all()


@pytest.mark.parametrize('decode', ['plain', 'quarter', 'dark'])
def test_a_peak_in_an_outermost_cell_is_one(decode: str) -> None:
    """Of cells of 8, the outermost are 8 pixels wide: a garment often ends there."""
    points = np.array([(3.5, 80.), (364., 90.), (90., 364.), (280., 300.)])
    network_input = NetworkInput(blob_network(SKIRT, points), SKIRT, 8, (368, 368), [1.0])
    predictor = Predictor([network_input], SKIRT, PredictionOptions(368, flip=False, decode=decode))
    found, = predictor.predict([np.zeros((368, 368, 3), np.uint8)])
    assert found.valid.all()
    np.testing.assert_allclose(found.points_xy, points, atol=4.1)


def test_a_finer_network_still_wants_multiples_of_8() -> None:
    with pytest.raises(ValueError, match=r'364x364.*\b8\b'):
        NetworkInput(DotNetwork(stride=4), SKIRT, 4, (364, 364), [1.0])


def test_networks_of_other_strides_and_sizes_are_averaged() -> None:
    """One sees the waistband alone, the other the hem alone: together they see both."""
    class Half(DotNetwork):
        def __init__(self, blind: slice, **choices: object) -> None:
            super().__init__(**choices)
            self.blind = blind

        def __call__(self, images: np.ndarray) -> np.ndarray:
            maps = super().__call__(images)
            maps[..., self.blind] = 0
            return maps

    image, points = dotted((400, 512))
    networks = [(Half(slice(0, 2)), (368, 368)), (Half(slice(2, 4), stride=4, garment=GARMENTS.joint), (256, 256))]
    joint = [GARMENTS.joint.keypoints.index(name) for name in SKIRT.keypoints[2:]]
    networks[1][0].blind = joint
    network_inputs = [NetworkInput(network, network.garment, network.stride, size, [1.0])
             for network, size in networks]
    for decode in ('blur', 'dark'):
        found, = Predictor(network_inputs, SKIRT, PredictionOptions(368, decode=decode)).predict([image])
        np.testing.assert_allclose(found.points_xy, points, atol=1.5)


def test_fields_of_the_mirror_image_are_turned_back() -> None:
    """A skirt whose fields are drawn from the picture itself: both passes must say the same, also where directions
    change sign; the diagonal limb has no counterpart and is taken from the picture alone."""
    points = np.array([(120., 80.), (240., 90.), (90., 300.), (280., 290.)])
    starts, ends = SKIRT.limb_indices.T
    blank = np.zeros((2, 46, 46, SKIRT.num_heatmaps), np.float32)
    upright, mirrored = (
        encode_fields(places[starts], places[ends], np.ones(5, bool), (0, 0, 367, 367), (368, 368), 8)
        for places in (points, (np.array([367., 0]) - points * (1, -1))[SKIRT.mirror_indices]))
    mirrored[..., 8:] = 9  # the diagonal's channels
    both = np.concatenate([blank, np.stack([upright, mirrored])], axis=3)
    network_input = NetworkInput(lambda images: both, SKIRT, 8, (368, 368), [1.0])
    image = np.zeros((368, 368, 3), np.uint8)
    options = PredictionOptions(368, decode='plain', assembly='paf')
    canvas, = Predictor([network_input], SKIRT, options).canvases([image])
    np.testing.assert_allclose(canvas.fields, upright.transpose(2, 0, 1), atol=1e-5)


def test_fields_choose_between_peaks() -> None:
    """The hem's left map peaks higher at a wrong place; the limbs lead to the right one."""
    points = np.array([(120., 80.), (240., 90.), (90., 300.), (280., 290.)])
    starts, ends = SKIRT.limb_indices.T
    fields = encode_fields(points[starts], points[ends], np.ones(5, bool), (0, 0, 367, 367), (368, 368), 8)
    seen = blob_network(SKIRT, points)(np.zeros((1, 368, 368, 3)))
    wrong = points.copy()
    wrong[2] = (330, 40)
    seen[..., 2] = 0.8 * seen[..., 2] + blob_network(SKIRT, wrong)(np.zeros((1, 368, 368, 3)))[..., 2]
    seen[..., SKIRT.num_heatmaps:] = fields
    network_input = NetworkInput(lambda images: seen, SKIRT, 8, (368, 368), [1.0])
    image = np.zeros((368, 368, 3), np.uint8)
    for assembly, wanted in (('peaks', wrong), ('paf', points)):
        options = PredictionOptions(368, flip=False, assembly=assembly)
        found, = Predictor([network_input], SKIRT, options).predict([image])
        np.testing.assert_allclose(found.points_xy, wanted, atol=1)


@pytest.mark.parametrize('size', [368, 367])
def test_points_are_where_the_original_way_finds_them(size: int) -> None:
    """Windows, mirror image, join, blur and highest place, each made anew; on places of two pixels, and of one."""
    spec = importlib.util.spec_from_file_location('original_points', str(ROOT / 'benchmarks' / 'original_points.py'))
    original = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(original)
    image, _ = dotted((290, 512))
    scales = parse_scales(DEFAULT_SCALES)
    wanted = original.original_points(DotNetwork(), SKIRT, SKIRT, scales, 368, image)
    network_input = NetworkInput(DotNetwork(), SKIRT, 8, (368, 368), scales)
    found, = Predictor([network_input], SKIRT, PredictionOptions(size)).predict([image])
    np.testing.assert_allclose(found.points_xy, wanted, atol=1)
