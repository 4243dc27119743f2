"""Printed markers: squares with a pattern that says their number (ArUco: Garrido-Jurado et al., "Automatic generation
and detection of highly reliable fiducial markers under occlusion", 2014).

The dictionary is OpenCV's DICT_4X4_50: 4 x 4 cells within a black border of one cell, with numbers from 0 to 49.
"""
from typing import Any, Dict, List

import cv2
import numpy as np

from fashionai.errors import InputError

IDS, CELLS = 50, 6
"""The number of markers in the dictionary, and the cells along a side, with the border."""

_OVERVIEW = 2000
"""Larger pictures are first searched at this many pixels along the longer side."""


_APART = 0.03
"""Outlines whose corners are nearer than this share of the perimeter are one. The white paper around a marker is
another one, a quarter of a side away; the usual value of OpenCV takes both for one, and may keep the paper."""

_BORDER_FAULTS = 0.1
"""The share of cells of the black border that may look white."""


def find_markers(grey: np.ndarray) -> Dict[int, List[np.ndarray]]:
    """Returns the corners (4, 2) of each marker in a picture (h, w) uint8, in its pixels, by the marker's number.

    The first corner is the upper left one of the marker as it is printed; the others follow clockwise. Raises
    InputError if this OpenCV has no markers.
    """
    aruco = _aruco()
    shrink = _OVERVIEW / max(grey.shape)
    small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else grey
    for picture in (small,) if small is grey else (small, grey):
        corners, ids = _detected(aruco, picture)
        if ids is not None:
            zoom = np.array([grey.shape[1] / picture.shape[1], grey.shape[0] / picture.shape[0]])
            found: Dict[int, List[np.ndarray]] = {}
            for number, each in zip(np.ravel(ids), corners):
                found.setdefault(int(number), []).append((each.reshape(4, 2) + 0.5) * zoom - 0.5)
            return found
    return {}


def marker_cells(number: int) -> np.ndarray:
    """Returns the cells (6, 6) bool of a marker, border included; True is white. Raises InputError as `find_markers`,
    and for a number that is not from 0 to 49."""
    if not 0 <= number < IDS:
        raise InputError(f'marker {number}: wanted a number from 0 to {IDS - 1}')
    aruco = _aruco()
    dictionary = aruco.getPredefinedDictionary(aruco.DICT_4X4_50)
    draw = aruco.generateImageMarker if hasattr(aruco, 'generateImageMarker') else aruco.drawMarker
    return draw(dictionary, number, CELLS, borderBits=1) > 127


def marker_svg(side_cm: float, number: int) -> str:
    """Returns an SVG picture that prints a marker at its true size, with white around it, and a line below it that says
    the size. Raises InputError as `marker_cells`."""
    cell, white = side_cm / CELLS, marker_cells(number)
    over = cell * 1.01  # so that no line shows between white cells
    size, foot = side_cm + 2 * cell, max(0.8, side_cm / 12)
    squares = ''.join(f'M{(column + 1) * cell:.4f} {(row + 1) * cell:.4f}h{over:.4f}v{over:.4f}h-{over:.4f}z'
                      for row, column in zip(*np.nonzero(white)))
    text = f'marker:{side_cm:g}cm:{number} - the black square must measure {side_cm:g} cm: print at 100 %'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{size:.4f}cm" height="{size + foot:.4f}cm" '
            f'viewBox="0 0 {size:.4f} {size + foot:.4f}">\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n'
            f'<rect x="{cell:.4f}" y="{cell:.4f}" width="{side_cm:.4f}" height="{side_cm:.4f}" fill="#000"/>\n'
            f'<path d="{squares}" fill="#fff" shape-rendering="crispEdges"/>\n'
            f'<text x="{size / 2:.4f}" y="{size + foot / 2:.4f}" font-family="sans-serif" text-anchor="middle" '
            f'font-size="{min(0.4, size / 38):.4f}">{text}</text>\n</svg>\n')


def _detected(aruco: Any, grey: np.ndarray) -> Any:
    """Returns the corners and the numbers that this OpenCV finds: the interface is another from version 4.7 on."""
    dictionary, is_new = aruco.getPredefinedDictionary(aruco.DICT_4X4_50), hasattr(aruco, 'ArucoDetector')
    parameters = aruco.DetectorParameters() if is_new else aruco.DetectorParameters_create()
    parameters.errorCorrectionRate = 0.  # a pattern of cloth must not become a marker
    parameters.minMarkerDistanceRate = _APART
    parameters.maxErroneousBitsInBorderRate = _BORDER_FAULTS
    if is_new:
        return aruco.ArucoDetector(dictionary, parameters).detectMarkers(grey)[:2]
    return aruco.detectMarkers(grey, dictionary, parameters=parameters)[:2]


def _aruco() -> Any:
    if not hasattr(cv2, 'aruco'):
        raise InputError(f'OpenCV {cv2.__version__} has no markers: wanted 4.7 or newer (pip install -U opencv-python)')
    return cv2.aruco
