"""Reads and writes CVAT's XML, version 1.1, "CVAT for images": skeletons, one for each garment.

A skeleton has the garment type as its label, and a `points` element for each keypoint: `occluded="1"` means occluded,
`outside="1"` means absent. CVAT shows pictures upright. Beside the XML, the labels are written as JSON for CVAT's
constructor of labels ("Raw"), since CVAT imports skeletons only into tasks that have their labels.
"""
import math
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, part_names, put_picture
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import NO_SIZE, Size, labelled_size
from fashionai.datasets.samples import (
    ParsedDataset,
    Place,
    Sample,
    csv_row,
    image_id_of_path,
    note_unlisted,
    part_of,
    usable,
)
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.errors import InputError, shown
from fashionai.files import parse_xml, write_json, write_text
from fashionai.garments.table import Garment, Garments

_LABELS = 'labels.json'

Points = Dict[str, Tuple[float, float, int]]


def read_cvat(sources: Sequence[DataSource], options: ReadOptions, notes: Notes) -> ParsedDataset:
    """Returns every skeleton that is the only one of its type in its picture. Other shapes are noted.

    Raises InputError that names file and image if one is malformed, and if no file is of CVAT.
    """
    pictures, files = Pictures(), []
    for number, name, data in scan(sources, lambda name: name.lower().endswith('.xml'), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            root = parse_xml(data, f'{sources[number].label}: {name}')
            if root.tag == 'annotations':
                files.append((number, name, root))
    if not files:
        raise InputError('no XML file with `annotations` in the sources; wanted the export "CVAT for images 1.1"')
    samples, lines = [], []
    for number, name, root in files:
        where = f'{sources[number].label}: {name}'
        notes['tracks of videos, left out'] += [where] * len(root.findall('track'))
        found: List[Sample] = []
        for row, image in enumerate(root.findall('image')):
            found += _samples(image, f'{where}, image {row}', (number, name), pictures, options, notes)
        samples += usable(found, notes)
        lines.append(f'{where}: {len(found)} skeletons of a type')
    note_unlisted(samples, pictures, sources, notes)
    return ParsedDataset(samples, lines, options.garments)


def _samples(image: ElementTree.Element, where: str, file: Place, pictures: Pictures, options: ReadOptions,
             notes: Notes) -> List[Sample]:
    """Returns a sample for each skeleton of a named category in an image."""
    picture, names = image.get('name', '').replace('\\', '/'), options.categories
    if not picture:
        raise InputError(f'{where}: no name, wanted the path of the picture')
    place = pictures.find(picture, *file)
    said = image.get('subset') or file[1].rpartition('/')[2].rpartition('.')[0]
    part = part_of(f'{said.lower()}/{picture}')
    found = []
    for row, shape in enumerate(image):
        category = shape.get('label', '')
        if shape.tag != 'skeleton':
            notes['shapes that are no skeletons, left out'].append(f'{where}, shape {row}, {shape.tag}')
        elif category not in names:
            notes[f'skeletons with the label {category}, left out'].append(f'{where}, shape {row}')
        else:
            tag, keypoints = names[category]
            try:
                points = _points(shape)
                labels = csv_row({keypoints[key]: points[key] for key in points if key in keypoints}, options.garments)
            except InputError as error:
                raise InputError(f'{where}, {picture}, shape {row}, {category}: {error}') from None
            found.append(Sample(image_id_of_path(tag, picture), tag, labels, part, place, _size(image, where)))
    return found


def _size(image: ElementTree.Element, where: str) -> Size:
    if image.get('width') is None or image.get('height') is None:
        return NO_SIZE
    try:
        return labelled_size(float(image.get('height', '')), float(image.get('width', '')))
    except ValueError:
        raise InputError(f'{where}: width {shown(image.get("width"))}, height {shown(image.get("height"))}, wanted '
                         'pixels') from None


def _points(skeleton: ElementTree.Element) -> Points:
    """Returns x, y and v of the points of a skeleton by their names."""
    points: Points = {}
    for element in skeleton.findall('points'):
        name, text = element.get('label', ''), element.get('points', '')
        if name in points:
            raise InputError(f'{name} twice')
        try:
            x, y = (float(number) for number in text.split(','))
        except ValueError:
            raise InputError(f'{name}: points {shown(text)}, wanted x,y') from None
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InputError(f'{name}: points {shown(text)}, wanted pixels')
        v = ABSENT if element.get('outside') == '1' else OCCLUDED if element.get('occluded') == '1' else VISIBLE
        points[name] = (x, y, v)
    return points


def write_cvat(output: Path, pictures: Sequence[LabelledPicture], options: WriteOptions, notes: Notes) -> None:
    """Writes a folder with the pictures in images/, an XML file for each list, for "CVAT 1.1", and labels.json, for the
    constructor of labels."""
    for picture in pictures:
        put_picture(picture, output / 'images' / picture.name, options.link, notes)
    layouts = {tag: _layout(garment, pictures) for tag, garment in options.garments.items()}
    write_json(output / _LABELS, [_raw_label(garment, layouts[tag]) for tag, garment in options.garments.items()])
    for part in part_names(pictures):
        listed = [picture for picture in pictures if picture.part == part]
        write_text(output / f'{part}.xml', _annotations(listed, layouts, options))


def _annotations(pictures: Sequence[LabelledPicture], layouts: Mapping[str, np.ndarray], options: WriteOptions) -> str:
    """Returns the XML of a list."""
    source = 'auto' if options.predicted else 'manual'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<annotations>', '  <version>1.1</version>', '  <meta>',
             '    <task>', f'      <name>{escape(options.description)}</name>',
             f'      <size>{len(pictures)}</size>', '      <mode>annotation</mode>', '      <labels>',
             *_meta_labels(options.garments, layouts), '      </labels>', '    </task>', '  </meta>']
    for number, picture in enumerate(pictures):
        height, width = picture.size_hw
        lines.append(f'  <image id="{number}" name={quoteattr(picture.name)} width="{width}" height="{height}">')
        for garment in picture.garments:
            lines += _skeleton(garment, options.garments[garment.type], picture.size_hw, source)
        lines.append('  </image>')
    return '\n'.join([*lines, '</annotations>', ''])


def _skeleton(garment: LabelledGarment, table: Garment, size_hw: Size, source: str) -> List[str]:
    """Returns the lines of a garment. CVAT wants every point, so an absent one is in the middle of the box."""
    x, y, width, height = garment.box_in(size_hw)
    lines = [f'    <skeleton label={quoteattr(garment.type)} source="{source}" z_order="0">']
    for name, (px, py, v) in zip(table.keypoints, garment.keypoints.tolist()):
        place = (x + width / 2, y + height / 2) if v == ABSENT else (px, py)
        lines.append(f'      <points label={quoteattr(name)} source="{source}" outside="{int(v == ABSENT)}" '
                     f'occluded="{int(v == OCCLUDED)}" points="{place[0]:.2f},{place[1]:.2f}"></points>')
    return [*lines, '    </skeleton>']


def _layout(garment: Garment, pictures: Sequence[LabelledPicture]) -> np.ndarray:
    """Returns (K, 2) places of the keypoints in the drawing of a skeleton, 0 to 100: the mean of the labels in their
    boxes, or a circle for keypoints without labels."""
    turns = np.arange(len(garment.keypoints)) * 2 * math.pi / len(garment.keypoints)
    layout = 50 + 40 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    shares: List[List[np.ndarray]] = [[] for _ in garment.keypoints]
    for picture in pictures:
        for labelled in picture.garments:
            if labelled.type == garment.name:
                x, y, width, height = labelled.box_in(picture.size_hw)
                for index, (px, py, v) in enumerate(labelled.keypoints.tolist()):
                    if v != ABSENT:
                        shares[index].append(np.array([(px - x) / width, (py - y) / height]))
    for index, found in enumerate(shares):
        if found:
            layout[index] = 10 + 80 * np.mean(found, axis=0).clip(0, 1)
    return layout


def _svg(garment: Garment, layout: np.ndarray) -> str:
    """Returns the drawing of a skeleton, as CVAT stores it; its nodes are numbered from 1."""
    places = [(f'{x:.2f}', f'{y:.2f}') for x, y in layout.tolist()]
    edges = [f'<line x1="{places[a][0]}" y1="{places[a][1]}" x2="{places[b][0]}" y2="{places[b][1]}" '
             f'data-type="edge" data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
             for a, b in garment.limb_indices.tolist()]
    nodes = [f'<circle r="0.75" cx="{x}" cy="{y}" data-type="element node" data-element-id="{number}" '
             f'data-node-id="{number}" data-label-name={quoteattr(name)}></circle>'
             for number, (name, (x, y)) in enumerate(zip(garment.keypoints, places), 1)]
    return ''.join([*edges, *nodes])


def _raw_label(garment: Garment, layout: np.ndarray) -> Dict[str, Any]:
    return {'name': garment.name, 'type': 'skeleton', 'attributes': [], 'svg': _svg(garment, layout),
            'sublabels': [{'name': name, 'type': 'points', 'attributes': []} for name in garment.keypoints]}


def _meta_labels(garments: Garments, layouts: Mapping[str, np.ndarray]) -> List[str]:
    lines = []
    for tag, garment in garments.items():
        lines += [f'        <label><name>{escape(tag)}</name><type>skeleton</type><attributes></attributes>'
                  f'<svg>{escape(_svg(garment, layouts[tag]))}</svg></label>']
        lines += [f'        <label><name>{escape(name)}</name><type>points</type><attributes></attributes>'
                  f'<parent>{escape(tag)}</parent></label>' for name in garment.keypoints]
    return lines
