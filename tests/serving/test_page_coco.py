"""The page makes the same COCO data set as predict.py does."""
import json
import shutil
import subprocess
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from fashionai.annotations import OCCLUDED, VISIBLE
from fashionai.datasets.coco_writing import coco_annotation, coco_categories, coco_image
from fashionai.datasets.labelled import LabelledGarment
from fashionai.garments.table import GARMENTS
from fashionai.serving.app import PAGE

NODE = shutil.which('node')

pytestmark = pytest.mark.skipif(not NODE, reason="no Node.js to run the page's modules with")


def in_page(pictures: Any) -> Any:
    """Returns the page's data set of pictures."""
    types = {name: {'keypoints': garment.keypoints, 'limbs': garment.limbs} for name, garment in GARMENTS.items()}
    program = f"""
import {{readFileSync}} from 'node:fs';
const {{dataset}} = await import({json.dumps(f'data:text/javascript,{quote((PAGE / "coco.js").read_text())}')});
const {{pictures, types}} = JSON.parse(readFileSync(0, 'utf-8'));
console.log(JSON.stringify(dataset(pictures, types, 'net')));
"""
    done = subprocess.run([NODE, '--input-type=module', '-e', program], stdout=subprocess.PIPE, check=True, text=True,
                          input=json.dumps({'pictures': pictures, 'types': types}), timeout=60)
    return json.loads(done.stdout)


def test_random_garments_are_the_same_data_set() -> None:
    random, pictures, wanted = np.random.RandomState(0), [], []
    for number in range(60):
        garment = list(GARMENTS.values())[number % 5]
        points = random.uniform(0, 400, (len(garment.keypoints), 2)).round()
        points[:, number % 2] = points[0, number % 2] if number % 3 == 0 else points[:, number % 2]
        scores, v = random.uniform(0, 1, len(points)).round(3), random.choice([-1, 0, 1], len(points))
        v[:] = -1 if number % 10 == 0 else v
        found = random.uniform(size=len(points)) > .2
        shown = np.where((v == VISIBLE) & ~found, OCCLUDED, v)
        answer = {'type': garment.name, 'size': {'width': 500, 'height': 420}}
        pictures.append({'name': f'{number}.jpg', 'answer': answer,
                         'points': {name: {'x': x, 'y': y, 'score': score, 'found': bool(seen), 'moved': False,
                                           'v': int(state)}
                                    for name, (x, y), score, seen, state in zip(garment.keypoints, points.tolist(),
                                                                                scores.tolist(), found, v)}})
        wanted.append(coco_annotation(LabelledGarment(garment.name, np.column_stack([points, shown]), scores=scores),
                                      (420, 500)))
    made = in_page(pictures)
    assert made['categories'] == coco_categories(GARMENTS)
    assert made['images'] == [coco_image(number, f'{number - 1}.jpg', (420, 500)) for number in range(1, 61)]
    for number, (annotation, right) in enumerate(zip(made['annotations'], wanted), 1):
        assert annotation.pop('image_id') == annotation.pop('id') == number and annotation.pop('category_id')
        assert annotation.pop('score') == pytest.approx(right.pop('score'), abs=.0011)
        assert annotation.pop('bbox') == pytest.approx(right.pop('bbox'), abs=.011)
        assert annotation.pop('area') == pytest.approx(right.pop('area'), rel=1e-3)
        assert annotation == right
