"""A garment in a box: the part is predicted like an image of its own, and its points move back."""
from typing import List, Sequence

import numpy as np
import pytest

from fashionai.engines.network import Description
from fashionai.errors import InputError
from fashionai.garments.table import AUTO
from fashionai.images.geometry import transform_points
from fashionai.inference.boxes import predict_in_boxes, predict_twice
from fashionai.inference.canvas import canvas_map
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.inference.predictor import KeypointPrediction

GRID = 64


class Spot:
    """A stand-in for networks: the first point is the brightest pixel, the others are in the corners of the image."""

    def __init__(self) -> None:
        self.seen: List[np.ndarray] = []

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        """Returns the points, the last of which is not found, and a heat map with a dot at the first."""
        self.seen += images
        return [self._prediction(image) for image in images]

    def _prediction(self, image: np.ndarray) -> KeypointPrediction:
        height, width = image.shape[:2]
        y, x = np.unravel_index(image[..., 0].argmax(), (height, width))
        points = np.array([[x, y], [0, 0], [width - 1, 0], [0, height - 1]], float)
        column, row = np.rint(transform_points(canvas_map((height, width), GRID), points[0])).astype(int)
        maps = np.full((4, GRID, GRID), 0.5, np.float32)
        maps[0, row, column] = 1
        return KeypointPrediction(points, np.ones(4), np.array([True, True, True, False]), maps)


def describe(images: Sequence[np.ndarray]) -> Description:
    """Says skirt of large images, and dress of small ones."""
    return Description(np.array([[0.9, 0.1] if image.shape[1] > 150 else [0.2, 0.8] for image in images]), None)


def predictor(spot: Spot) -> GarmentPredictor:
    return GarmentPredictor({'skirt': spot, 'dress': spot}, ('skirt', 'dress'), [describe])


def picture(x: int = 130, y: int = 70) -> np.ndarray:
    image = np.zeros((150, 200, 3), np.uint8)
    image[y, x] = 200
    return image


def test_a_box_is_the_crop_predicted_alone_and_moved_by_its_place() -> None:
    spot, image = Spot(), picture()
    found, = predict_in_boxes(predictor(spot), [image], ['skirt'], [(110, 50, 40, 60)], margin=0.25)
    part = image[35:125, 95:165]
    np.testing.assert_array_equal(spot.seen[0], part)
    alone, = predictor(Spot()).predict([part], ['skirt'])
    np.testing.assert_array_equal(found.points_xy, alone.points_xy + (95, 35))
    assert found.points_xy[0].tolist() == [130, 70] and found.image_hw == (150, 200) and found.seen_hw == (90, 70)
    assert found.box == (110, 50, 40, 60) and alone.box is None
    np.testing.assert_array_equal(found.scores, alone.scores)


def test_the_response_lies_over_the_garment_and_nowhere_outside_the_part() -> None:
    found, = predict_in_boxes(predictor(Spot()), [picture()], ['skirt'], [(110, 50, 40, 60)], margin=0.25)
    over = found.responses_over()
    assert over.shape == (150, 200) and over[70, 130] > 0.3
    over[60:80, 120:140] = 0
    assert not over.any()


def test_each_box_of_a_picture_is_a_garment_and_no_box_is_the_whole_picture() -> None:
    image = picture()
    image[100, 20] = 100
    boxes = [(120, 60, 20, 20), None, (10, 90, 30, 30)]
    found = predict_in_boxes(predictor(Spot()), [image] * 3, ['skirt', AUTO, AUTO], boxes)
    assert [one.points_xy[0].tolist() for one in found] == [[130, 70], [130, 70], [20, 100]]
    assert [one.type for one in found] == ['skirt', 'skirt', 'dress'] and [one.box for one in found] == boxes
    whole, = predictor(Spot()).predict([image], [AUTO])
    np.testing.assert_array_equal(found[1].points_xy, whole.points_xy)


def test_the_second_look_is_at_the_box_of_the_points_that_were_found() -> None:
    spot, image = Spot(), picture(120, 140)
    found, = predict_twice(predictor(spot), [image], [AUTO], margin=0)
    np.testing.assert_array_equal(spot.seen[1], image[:140, :199])  # the point in the lower left was not found
    assert found.box == (0, 0, 199, 140)
    assert found.type == 'skirt' and found.type_probabilities['skirt'] == pytest.approx(0.9), 'of the whole picture'



def test_what_is_wrong_is_refused_before_anything_is_predicted() -> None:
    spot = Spot()
    with pytest.raises(InputError, match='200 x 150'):
        predict_in_boxes(predictor(spot), [picture()] * 2, ['skirt'] * 2, [None, (200, 0, 9, 9)])
    with pytest.raises(InputError, match='float64'):
        predict_in_boxes(predictor(spot), [picture().astype(float)], ['skirt'], [(0, 0, 9, 9)])
    with pytest.raises(InputError, match='sock'):
        predict_in_boxes(predictor(spot), [picture()], ['sock'], [(0, 0, 9, 9)])
    assert not spot.seen
