"""Predicts garments in parts of pictures: in boxes that are given, or in the boxes that a first look gives."""
from dataclasses import replace
from typing import List, Optional, Sequence

import numpy as np

from fashionai.garments.boxes import Box, box_of
from fashionai.images.crops import MARGIN, crop_around
from fashionai.inference.garment_predictor import TOGETHER, GarmentPrediction, GarmentPredictor, check_images

AUTO_BOX = 'auto'
"""In place of a box: the box of the points that are found in the whole picture."""


def predict_in_boxes(predictor: GarmentPredictor, images: Sequence[np.ndarray], tags: Sequence[str],
                     boxes: Sequence[Optional[Box]], together: int = TOGETHER,
                     margin: float = MARGIN) -> List[GarmentPrediction]:
    """Returns the garment in each box, in the frame of its whole image: each part goes through the networks as an
    image of its own.

    Args:
        predictor: of garments in whole images.
        images: (h, w, 3) uint8 BGR. An image with several garments is given once for each.
        tags: of each garment: its type, or AUTO.
        boxes: of each garment, in pixels of its image; None: the whole image.
        together: so many parts at most go through the networks at a time.
        margin: what is seen around a box, as a share of its longer side.

    Raises InputError if no part of a box is in its image, and as GarmentPredictor.predict does.
    """
    check_images(images)
    crops = [crop_around(box, image.shape[:2], margin) for image, box in zip(images, boxes)]
    found = predictor.predict([crop.of(image) for crop, image in zip(crops, images)], tags, together)
    return [one.moved(crop, image.shape[:2]) for one, crop, image in zip(found, crops, images)]


def predict_twice(predictor: GarmentPredictor, images: Sequence[np.ndarray], tags: Sequence[str],
                  together: int = TOGETHER, margin: float = MARGIN) -> List[GarmentPrediction]:
    """Returns the garment of each image, predicted in the whole image and then again in the box of the points that were
    found there. The type, if it is predicted, is that of the whole image. Arguments and errors: see
    `predict_in_boxes`."""
    firsts = predictor.predict(images, tags, together)
    boxes = [box_of(first.points_xy[first.found], first.image_hw) for first in firsts]
    seconds = predict_in_boxes(predictor, images, [first.type for first in firsts], boxes, together, margin)
    return [replace(second, type_probabilities=first.type_probabilities, type_sure=first.type_sure)
            for first, second in zip(firsts, seconds)]
