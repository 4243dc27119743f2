"""Export: the folder for training, its division, boxes, and COCO."""
import json
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest

from fashionai.annotations import read_annotations
from fashionai.datasets.notes import new_notes
from fashionai.errors import InputError
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS
from fashionai.images.crops import MARGIN
from fashionai.images.decoder import read_image
from fashionai.labelling.export import export_formats, export_tree
from fashionai.labelling.labels import OPEN, REVIEWED, SKIPPED, Label
from fashionai.labelling.pictures import add_pictures
from fashionai.labelling.store import Store


def test_reviewed_garments_alone_are_written_as_train_reads_them(store: Store, tmp_path: Path,
                                                                skirt: Callable[..., Any]) -> None:
    store.save(1, Label(REVIEWED, 'skirt', skirt(30.5)), 'Ann', 'accepted')
    store.save(2, Label(SKIPPED, 'skirt', skirt()), 'Ann', 'skipped')
    store.save(3, Label(OPEN, 'skirt', skirt()), 'Ann', 'moved')
    written = export_tree(store, GARMENTS, tmp_path / 'data', new_notes(), val=0.2)
    assert written.counts == {'train': {'skirt': 1}, 'val': {}}
    table = read_annotations(tmp_path / 'data/train/train.csv')
    (image_id,) = table.image_ids
    assert (tmp_path / 'data/train' / image_id).read_bytes() == (tmp_path / 'pictures/0.png').read_bytes()
    labels = dict(zip(CSV_KEYPOINTS, table.keypoints[0].tolist()))
    assert labels['waistband_left'] == [31, 20, 1] and labels['hemline_left'] == [20, 191, 0]
    assert labels['hemline_right'] == [-1, -1, -1] and labels['crotch'] == [-1, -1, -1]
    assert not (tmp_path / 'data/train/val.csv').exists()


def test_the_division_is_by_type_and_stays_when_labels_are_added(tmp_path: Path, pictures: Callable[..., Path],
                                                                skirt: Callable[..., Any]) -> None:
    folder = pictures(12)
    with Store(tmp_path / 'project') as store:
        add_pictures(store, [str(folder)], 25)
        parts = []
        for count in (10, 12):
            for number in range(1, count + 1):
                store.save(number, Label(REVIEWED, 'skirt', skirt()), 'Ann', 'accepted')
            written = export_tree(store, GARMENTS, tmp_path / 'data', new_notes(), val=0.2, seed=3)
            assert written.counts['val'] == {'skirt': 2}
            parts.append({part: set(read_annotations(tmp_path / f'data/train/{part}.csv').image_ids)
                          for part in ('train', 'val')})
        assert len(parts[0]['val'] & parts[1]['val']) >= 1 and not parts[1]['val'] & parts[1]['train']
        with pytest.raises(InputError, match='12'):
            export_tree(store, GARMENTS, tmp_path / 'data', new_notes(), val=12)


def test_a_box_becomes_a_picture_of_its_own_in_the_same_list(store: Store, tmp_path: Path,
                                                             skirt: Callable[..., Any]) -> None:
    store.save(1, Label(REVIEWED, 'skirt', skirt()), 'Ann', 'accepted')
    box = store.add_box(1, (100, 100, 80, 100), 'Ann')
    points = dict.fromkeys(GARMENTS['skirt'].keypoints, (120, 150, 1))
    store.save(box.id, Label(REVIEWED, 'skirt', points, box.label.box), 'Ann', 'accepted')
    export_tree(store, GARMENTS, tmp_path / 'data', new_notes())
    table = read_annotations(tmp_path / 'data/train/train.csv')
    image = read_image(tmp_path / 'data/train' / table.image_ids[1])
    around = int(MARGIN * 100)
    assert image.shape == (100 + 2 * around, 80 + 2 * around, 3)
    assert table.keypoints[1][CSV_KEYPOINTS.index('hemline_left')].tolist() == [20 + around, 50 + around, 1]


def test_a_picture_that_is_stored_turned_is_written_as_it_was_labelled(
        tmp_path: Path, skirt: Callable[..., Any], turned: Callable[[np.ndarray, int], bytes]) -> None:
    image = np.zeros((200, 120, 3), np.uint8)
    image[10:30, 20:40] = 255
    (tmp_path / 'turned.jpg').write_bytes(turned(image, 6))
    with Store(tmp_path / 'project') as store:
        add_pictures(store, [str(tmp_path / 'turned.jpg')], 25)
        assert store.picture(1).size_hw == (120, 200)
        store.save(1, Label(REVIEWED, 'skirt', skirt()), 'Ann', 'accepted')
        export_tree(store, GARMENTS, tmp_path / 'data', new_notes())
    (image_id,) = read_annotations(tmp_path / 'data/train/train.csv').image_ids
    assert read_image(tmp_path / 'data/train' / image_id).shape == (120, 200, 3)


def test_other_tools_get_pictures_with_all_their_garments(store: Store, tmp_path: Path,
                                                         skirt: Callable[..., Any]) -> None:
    store.save(1, Label(REVIEWED, 'skirt', skirt(30.25)), 'Ann', 'accepted')
    box = store.add_box(1, (100, 100, 80, 100), 'Ann')
    store.save(box.id, Label(REVIEWED, 'skirt', skirt(), box.label.box), 'Ann', 'accepted')
    written = export_tree(store, GARMENTS, tmp_path / 'data', new_notes())
    coco, yolo = export_formats(store, GARMENTS, written, ['coco', 'yolo'], new_notes())
    content = json.loads(coco.read_text())
    assert len(content['images']) == 1 and content['images'][0]['width'] == 300
    first, second = content['annotations']
    assert first['keypoints'] == [30.25, 20, 2, 120.25, 21, 2, 20, 190.5, 1, 0, 0, 0]
    assert second['image_id'] == first['image_id'] and second['bbox'] == [100, 100, 80, 100]
    assert len(list(yolo.rglob('*.txt'))) == 1 and list(yolo.rglob('*.png'))
    with pytest.raises(InputError, match='fax'):
        export_formats(store, GARMENTS, written, ['fax'], new_notes())


def test_a_turned_picture_is_upright_for_other_tools(tmp_path: Path, skirt: Callable[..., Any],
                                                     turned: Callable[[np.ndarray, int], bytes]) -> None:
    (tmp_path / 'turned.jpg').write_bytes(turned(np.zeros((200, 120, 3), np.uint8), 6))
    with Store(tmp_path / 'project') as store:
        add_pictures(store, [str(tmp_path / 'turned.jpg')], 25)
        store.save(1, Label(REVIEWED, 'skirt', skirt()), 'Ann', 'accepted')
        written = export_tree(store, GARMENTS, tmp_path / 'data', new_notes())
        (folder,) = export_formats(store, GARMENTS, written, ['labelme'], new_notes())
    (picture,) = folder.rglob('*.jpg')
    assert read_image(picture).shape == (120, 200, 3)


def test_nothing_reviewed_and_a_changed_picture_are_told(store: Store, tmp_path: Path,
                                                         skirt: Callable[..., Any]) -> None:
    with pytest.raises(InputError):
        export_tree(store, GARMENTS, tmp_path / 'data', new_notes())
    for number in (1, 2):
        store.save(number, Label(REVIEWED, 'skirt', skirt()), 'Ann', 'accepted')
    cv2.imwrite(str(tmp_path / 'pictures/0.png'), np.zeros((400, 300, 3), np.uint8))
    notes = new_notes()
    assert export_tree(store, GARMENTS, tmp_path / 'data', notes).counts['train'] == {'skirt': 1}
    assert any('0.png' in name for names in notes.values() for name in names)
