"""Measures how exact lengths are that an object in the picture gives, by the tilt of the camera.

Generated pictures show a plane with an object, and the corners of a rectangle of 50 x 70 cm beside it. The error of a
side of the rectangle is the share by which its length differs from the true one; the points themselves are exact, and
the lens has no distortion. `not corrected` takes the size of a pixel at the object for the whole picture.
"""
import argparse
import sys
from typing import Dict, List, Optional, Sequence

import numpy as np
from timing import circumstances
from tqdm import tqdm

from fashionai.cli.entry_point import guarded
from fashionai.images.scale import ScaleObject, find_plane, parse_scale
from fashionai.option_group import at_least
from fashionai.synthetic.tilted_plane import camera, render, seen

_GARMENT_CM = np.array([[-25, -35], [25, -35], [25, 35], [-25, 35]], np.float64)
_PLACE_CM, _FRAME_CM = (-32., 22.), 170.
"""Where the object is; and what the longer side of a picture shows, without a tilt."""

_FOCAL_LENGTHS = (0.7, 1.4)
"""Of cameras, as shares of the longer side of the picture: 25 to 50 mm of a camera for 35 mm film."""

Errors = Dict[str, List[float]]


def errors_of(shown: ScaleObject, tilt: float, seed: int, longer: int) -> Optional[Errors]:
    """Returns the errors of the four sides in one picture, corrected and not; None if the object gives no scale."""
    rng, size_hw = np.random.default_rng([seed, int(tilt)]), (longer, 3 * longer // 4)
    focal = float(np.exp(rng.uniform(*np.log(_FOCAL_LENGTHS))))
    view = camera(tilt, rng.uniform(0, 360), focal * _FRAME_CM, size_hw, focal)
    plane = find_plane(render(rng, view, shown, _PLACE_CM, rng.uniform(0, 360), size_hw), shown)
    if plane.fault:
        return None
    points = seen(view, _GARMENT_CM)
    true = _sides(_GARMENT_CM)
    return {'corrected': list(np.abs(_sides(plane.flattened(points)[0]) / true - 1)),
            'not corrected': list(np.abs(_sides(points) * plane.cm_per_pixel / true - 1))}


def _sides(corners: np.ndarray) -> np.ndarray:
    return np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scales', nargs='+', default=['a4', 'card', 'marker:10cm', 'marker:5cm'], metavar='OBJECT')
    parser.add_argument('--tilts', nargs='+', type=float, default=[0, 15, 30, 45], metavar='DEGREES')
    parser.add_argument('--pictures', type=at_least(1), default=4, help='pictures for each row (default: %(default)s)')
    parser.add_argument('--longer', type=at_least(200), default=2000, metavar='PIXELS', help='longer side of a picture '
                        '(default: %(default)s)')
    args = parser.parse_args(argv)
    print(circumstances(), '\n')
    print('| object | tilt | mean error | largest | mean, not corrected | pictures without a scale |\n'
          '|---|---|---|---|---|---|')
    for text in args.scales:
        for tilt in args.tilts:
            found = [errors_of(parse_scale(text), tilt, seed, args.longer)
                     for seed in tqdm(range(args.pictures), leave=False)]
            known = [errors for errors in found if errors]
            corrected, plain = ([error for errors in known for error in errors[name]] or [np.nan]
                                for name in ('corrected', 'not corrected'))
            print(f'| {text} | {tilt:g} | {np.mean(corrected):.1%} | {np.max(corrected):.1%} | {np.mean(plain):.1%} | '
                  f'{len(found) - len(known)} of {len(found)} |', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
