"""The JSON object of a prediction."""
from typing import Any, Dict, Optional

from fashionai.garments.measurements import PixelScale, measure
from fashionai.inference.garment_predictor import GarmentPrediction, points_of

JsonObject = Dict[str, Any]


def prediction_json(prediction: GarmentPrediction, scale: Optional[PixelScale] = None) -> JsonObject:
    """Returns the JSON object of a prediction: points by name in pixels of the picture, rounded to hundredths; and the
    box, if it was predicted in one. With a scale, it has measurements too."""
    height, width = prediction.image_hw
    points = zip(prediction.keypoints, prediction.points_xy.tolist(), prediction.scores.tolist(),
                 prediction.heights.tolist(), prediction.found.tolist(), prediction.states)
    fields: JsonObject = {
        'type': prediction.type, 'type_sure': prediction.type_sure,
        'type_probabilities': {name: round(share, 4) for name, share in prediction.type_probabilities.items()},
        'size': {'width': width, 'height': height}, 'score_kind': prediction.score_kind,
        'keypoints': {name: {'x': round(x, 2), 'y': round(y, 2), 'score': round(score, 3), 'peak': round(peak, 3),
                             'found': found, 'visibility': state}
                      for name, (x, y), score, peak, found, state in points}}
    box = {} if prediction.box is None else {'box': list(prediction.box)}
    return {**box, **fields, **(_measured(prediction, scale) if scale else {})}


def _measured(prediction: GarmentPrediction, scale: PixelScale) -> JsonObject:
    points = points_of(prediction)
    cm_per_pixel = scale(points)
    lengths = measure(points, cm_per_pixel)
    fault = {'scale_fault': prediction.plane.fault or None} if prediction.plane else {}
    return {'cm_per_pixel': cm_per_pixel, **fault, 'measurements': {
        name: {'pixels': _rounded(length.pixels, 2), 'cm': _rounded(length.cm, 2), 'score': _rounded(length.score, 3),
               'doubtful': '; '.join(length.doubtful) or None}
        for name, length in lengths.items()}}


def _rounded(number: Optional[float], digits: int) -> Optional[float]:
    return None if number is None else round(number, digits)
