"""Files of boxes: COCO and CSV, the pictures that they name, and what is wrong with them."""
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from fashionai.datasets.box_files import BoxFile, read_boxes
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.images.sources import MediaFile


def coco(folder: Path, annotations: List[Dict[str, Any]], images: Optional[List[Dict[str, Any]]] = None) -> Path:
    images = images or [{'id': 7, 'file_name': 'new\\a.jpg', 'width': 300, 'height': 400},
                        {'id': 'x', 'file_name': './b.jpg'}, {'id': 9, 'file_name': 'a.jpg'}]
    categories = [{'id': 1, 'name': 'skirt'}, {'id': 2, 'name': 'hat'}]
    path = folder / 'boxes.json'
    path.write_text(json.dumps({'images': images, 'annotations': annotations, 'categories': categories}))
    return path


def table(folder: Path, text: str) -> Path:
    path = folder / 'boxes.csv'
    path.write_text(text)
    return path


def sources(*paths: str) -> List[MediaFile]:
    return [MediaFile(path, path) for path in paths]


def test_coco_boxes_have_the_types_of_known_categories(tmp_path: Path) -> None:
    read = read_boxes(coco(tmp_path, [
        {'image_id': 7, 'bbox': [1, 2, 30.004, 40], 'category_id': 1},
        {'image_id': 'x', 'bbox': [5, 6, 7, 8], 'category_id': 2}, {'image_id': 7, 'bbox': [9, 9, 9, 9]}]), GARMENTS)
    first, second = read.of('shop/new/a.jpg')
    assert (first.box, first.type, first.picture_hw) == ((1, 2, 30, 40), 'skirt', (400, 300))
    assert (second.box, second.type) == ((9, 9, 9, 9), None)
    other, = read.of('b.jpg')
    assert (other.box, other.type, other.picture_hw) == ((5, 6, 7, 8), None, None), 'a hat is no garment type'
    assert read.of('old/a.jpg') == () and not read.all_typed
    assert 'annotation 2' in second.place


@pytest.mark.parametrize('text, types', [
    ('image_id,x,y,w,h\nshop/a.jpg,1,2,3,4\nshop/a.jpg,5,6,7,8.5\n', [None, None]),
    ('image_id,x,y,w,h,type\nshop/a.jpg,1,2,3,4,dress\nshop/a.jpg,5,6,7,8.5,\n', ['dress', None])])
def test_csv_boxes(tmp_path: Path, text: str, types: list) -> None:
    found = read_boxes(table(tmp_path, text), GARMENTS).of('/data/shop/a.jpg')
    assert [box.box for box in found] == [(1, 2, 3, 4), (5, 6, 7, 8.5)] and [box.type for box in found] == types
    assert 'row 3' in found[1].place


@pytest.mark.parametrize('row, fault', [
    ('a.jpg,1,2,3,wide', 'row 2.*wide'), ('a.jpg,1,2,0,4', 'row 2'), ('a.jpg,1,2,3,-4', 'row 2'),
    ('a.jpg,nan,2,3,4', 'row 2'), ('a.jpg,1,2,3', 'row 2'), (',1,2,3,4', 'row 2.*image_id')])
def test_bad_rows_are_named(tmp_path: Path, row: str, fault: str) -> None:
    with pytest.raises(InputError, match=f'boxes.csv, {fault}'):
        read_boxes(table(tmp_path, f'image_id,x,y,w,h\n{row}\n'), GARMENTS)


@pytest.mark.parametrize('text, fault', [
    ('image_id,x,y,w,h,type\na.jpg,1,2,3,4,hat\n', 'row 2.*hat'), ('image_id,x,y,w,h\n', 'no rows'), ('', 'empty'),
    ('image_id,x,y,w\na.jpg,1,2,3\n', 'row 1'), ('image_id,x,y,w,h,score\na.jpg,1,2,3,4,0.5\n', 'row 1.*score')])
def test_bad_tables_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_boxes(table(tmp_path, text), GARMENTS)


@pytest.mark.parametrize('annotation, fault', [
    ({'image_id': 8, 'bbox': [1, 2, 3, 4]}, 'annotation 0.*8'), ({'image_id': 7}, 'annotation 0'), (5, 'annotation 0'),
    ({'image_id': 7, 'bbox': [1, 2, 3]}, 'annotation 0'), ({'image_id': 7, 'bbox': [1, 2, 3, 'x']}, 'annotation 0'),
    ({'image_id': 7, 'bbox': [1, 2, 3, True]}, 'annotation 0'), ({'image_id': [7], 'bbox': [1, 2, 3, 4]}, 'image_id')])
def test_bad_annotations_are_named(tmp_path: Path, annotation: Any, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_boxes(coco(tmp_path, [annotation]), GARMENTS)


def test_images_are_named_once(tmp_path: Path) -> None:
    twice = [{'id': 1, 'file_name': 'a.jpg'}, {'id': 1, 'file_name': 'b.jpg'}]
    with pytest.raises(InputError, match='image 1'):
        read_boxes(coco(tmp_path, [], twice), GARMENTS)


def boxes(tmp_path: Path) -> BoxFile:
    return read_boxes(table(tmp_path, 'image_id,x,y,w,h,type\na.jpg,1,2,3,4,dress\na.jpg,5,6,7,8,\nb.jpg,1,1,9,9,\n'),
                      GARMENTS)


def test_pictures_and_boxes_fit_each_other(tmp_path: Path) -> None:
    read = boxes(tmp_path)
    read.check(sources('shop/a.jpg', 'b.jpg'), None)
    read.check([*sources('a.jpg'), MediaFile('shop/b.jpg', 'b.jpg', 'no such file')], 'dress')
    for given, more, fault in ((sources('a.jpg', 'c.jpg'), {}, 'c.jpg'), (sources('a.jpg'), {}, 'row 4.*b.jpg'),
                               (sources('a.jpg', 'b.jpg', 'x/a.jpg'), {}, 'x/a.jpg and a.jpg'),
                               (sources('a.jpg', 'b.jpg', 'clip.mp4'), {}, 'clip.mp4'),
                               (sources('a.jpg', 'b.jpg'), {'tag': 'skirt'}, 'row 2.*dress.*skirt'),
                               (sources('a.jpg', 'b.jpg'), {'most': 1}, 'a.jpg.* 2 boxes')):
        with pytest.raises(InputError, match=fault):
            read.check(given, **{'tag': None, **more})  # type: ignore[arg-type]
