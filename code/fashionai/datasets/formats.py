"""The table of formats: how each data set of another tool is read into our folders, and how our labels are written.

Reading gives samples (`samples.ParsedDataset`); writing takes labelled pictures (`labelled.LabelledPicture`). A row
says what the format holds of a label, since none holds everything.
"""
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Callable, FrozenSet, Mapping, Optional, Sequence

from fashionai.datasets.coco import read_coco
from fashionai.datasets.coco_writing import write_coco
from fashionai.datasets.cvat import read_cvat, write_cvat
from fashionai.datasets.deepfashion import read_deepfashion
from fashionai.datasets.deepfashion2 import read_deepfashion2
from fashionai.datasets.deepfashion2_writing import write_deepfashion2
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.labelled import LabelledPicture
from fashionai.datasets.labelme import read_labelme, write_labelme
from fashionai.datasets.labelstudio import read_labelstudio, write_labelstudio
from fashionai.datasets.notes import Notes
from fashionai.datasets.official import read_official
from fashionai.datasets.orientation import STORED, UPRIGHT
from fashionai.datasets.samples import ParsedDataset
from fashionai.datasets.sources import DataSource
from fashionai.datasets.yolo import read_yolo, write_yolo

Read = Callable[[Sequence[DataSource], ReadOptions, Notes], ParsedDataset]
Write = Callable[[Path, Sequence[LabelledPicture], WriteOptions, Notes], None]


@dataclass(frozen=True)
class Format:
    """A row of the table.

    title: the data set or the tool.
    read: reads the sources; None if the format is only written.
    write: writes the pictures of all lists to a file or folder; None if the format is only read. What the format
        cannot hold is added to the notes.
    flags: groups of flags of `prepare.py from`: `names` (names, sides, own types), `split` (which pictures validate),
        `visibility`, `deepfashion`.
    folder: whether it is written as a folder, not as one file.
    frame: the frame of written labels: UPRIGHT or STORED.
    """

    title: str
    read: Optional[Read] = None
    write: Optional[Write] = None
    flags: FrozenSet[str] = frozenset()
    folder: bool = True
    frame: str = UPRIGHT


_LABELS = frozenset(('names', 'split'))

FORMATS: Mapping[str, Format] = MappingProxyType({
    'fashionai': Format('the archives of the FashionAI competition', flags=frozenset(('split',)),
                        read=lambda sources, options, notes: read_official(sources, notes)),
    'coco': Format(
        'COCO keypoints', flags=_LABELS | {'visibility'}, folder=False, frame=STORED,
        read=lambda sources, options, notes: read_coco(sources, options.categories, notes, options.garments,
                                                       options.visibility),
        write=lambda output, pictures, options, notes: write_coco(output, pictures, options.garments,
                                                                  options.description)),
    'yolo': Format('YOLO-pose, of Ultralytics', read_yolo, write_yolo, _LABELS | {'visibility'}),
    'labelme': Format('LabelMe', read_labelme, write_labelme, _LABELS),
    'cvat': Format('CVAT, "CVAT for images 1.1"', read_cvat, write_cvat, _LABELS),
    'labelstudio': Format('Label Studio, "JSON"', read_labelstudio, write_labelstudio, _LABELS),
    'deepfashion': Format('DeepFashion, fashion landmark detection', flags=frozenset(('deepfashion',)),
                          read=lambda sources, options, notes: read_deepfashion(sources, options.upper, options.lower,
                                                                                notes)),
    'deepfashion2': Format('DeepFashion2', write=write_deepfashion2, frame=STORED,
                           read=lambda sources, options, notes: read_deepfashion2(sources, notes))})
"""Formats by the name that `prepare.py from` and `to` take."""

READABLE = tuple(name for name, form in FORMATS.items() if form.read)
"""The names of the formats that can be read."""

WRITABLE = tuple(name for name, form in FORMATS.items() if form.write)
"""The names of the formats that can be written."""
