"""Names of points stand beside the garment: apart from each other, and over no point."""
import json
import shutil
import subprocess
from typing import Any, Dict, List
from urllib.parse import quote

import numpy as np
import pytest

from fashionai.garments.table import GARMENTS
from fashionai.inference.missing_keypoints import usual_points
from fashionai.serving.app import PAGE

NODE = shutil.which('node')
REACH = 9  # pixels from the centre of a point that stay free

pytestmark = pytest.mark.skipif(not NODE, reason="no Node.js to run the page's modules with")


def arranged(cases: Any) -> Any:
    """Returns the places of the page's `arranged` for each (items, area)."""
    program = f"""
import {{readFileSync}} from 'node:fs';
const {{arranged}} = await import({json.dumps(f'data:text/javascript,{quote((PAGE / "labels.js").read_text())}')});
const cases = JSON.parse(readFileSync(0, 'utf-8'));
console.log(JSON.stringify(cases.map(([items, area]) => arranged(items, area))));
"""
    done = subprocess.run([NODE, '--input-type=module', '-e', program], stdout=subprocess.PIPE, check=True, text=True,
                          input=json.dumps(cases), timeout=60)
    return json.loads(done.stdout)


def items_of(tag: str, points: np.ndarray) -> List[Dict[str, Any]]:
    return [{'name': name, 'x': float(x), 'y': float(y), 'width': 20 + 6 * len(name), 'height': 20}
            for name, (x, y) in zip(GARMENTS[tag].keypoints, points)]


@pytest.mark.parametrize('room', [150, 0])
def test_names_of_random_garments_stand_apart(room: int) -> None:
    """With room beside the picture, and without: then they stand over the picture."""
    random, cases = np.random.RandomState(1), []
    for tag in [*GARMENTS] * 8:
        points = usual_points(GARMENTS[tag], (480, 360))
        points = (points + random.uniform(-25, 25, points.shape)).clip(0, [359, 479])
        cases.append((items_of(tag, points), {'left': -room, 'right': 360 + room, 'top': 0, 'bottom': 480}))
    for (items, area), places in zip(cases, arranged(cases)):
        sizes = {item['name']: (item['width'], item['height']) for item in items}
        tags = [(place['x'], place['y'], place['x'] + sizes[place['name']][0], place['y'] + sizes[place['name']][1])
                for place in places]
        dots = [(item['x'] - REACH, item['y'] - REACH, item['x'] + REACH, item['y'] + REACH) for item in items]
        assert {place['name'] for place in places} == set(sizes)
        for index, tag in enumerate(tags):
            assert area['left'] <= tag[0] and tag[2] <= area['right'] and 0 <= tag[1] and tag[3] <= 480
            assert not any(tag[0] < other[2] and other[0] < tag[2] and tag[1] < other[3] and other[1] < tag[3]
                           for other in [*tags[:index], *dots])


def test_a_line_leads_from_each_name_to_its_point_and_points_out_of_sight_have_none() -> None:
    items = items_of('skirt', np.array([[100, 50], [200, 50], [90, 300], [900, 300]]))
    places = arranged([(items, {'left': 0, 'right': 400, 'top': 0, 'bottom': 400})])[0]
    ends = {place['name']: place['to'] for place in places}
    assert ends == {item['name']: [item['x'], item['y']] for item in items[:3]}
    for place in places:
        assert place['y'] < place['from'][1] < place['y'] + 20
