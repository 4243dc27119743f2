"""Reads the archives of the FashionAI competition, recognised by their CSV header and their Images/ folders.

    [update] warm_up_train_20180222.tar             train/Annotations/annotations.csv, train/Images/<type>/<id>.jpg
    fashionAI_key_points_train_20180227.tar.gz      train/Annotations/train.csv, train/Images/...
    fashionAI_key_points_test_a_20180227.tar        test/test.csv, test/Images/...
    fashionAI_key_points_test_b_20180418.tgz        the same
    fashionAI_key_points_test_a_answer_20180426.csv the labels of a test list; test_b likewise
    round2_fashionAI_key_points_test_a_20180426.tar, round2_..._test_b_20180530.zip

Names and depth of folders may differ: an id gives the path of a picture from the folder that has Images/.
"""
import os
import re
import tempfile
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Sequence, Union

from fashionai.annotations import Annotations, TestList, read_annotations, read_test_list
from fashionai.datasets.notes import Notes
from fashionai.datasets.samples import TEST, UNASSIGNED, VAL, ParsedDataset, Sample, note_unlisted
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.errors import InputError, shown

_START = b'image_id,image_category'
_ID = re.compile(r'Images/[^/\\]+/[^/\\]+')
_ATTRIBUTE_ROW = re.compile(rb'(?:\xef\xbb\xbf)?[^,\n]*Images/[^,\n]+,\w+_labels,')
"""The first row of a list of the contest's other task: Images/skirt_length_labels/1.jpg,skirt_length_labels,nnynn."""
_ATTRIBUTES = "lists of the contest's attribute task (such as skirt_length_labels), which have no keypoints, not read"
_OTHER_CSV = 'CSV files without the header image_id,image_category, not read'
_TEST_NAME = re.compile('test[-_ ]?([ab])', re.IGNORECASE)

Table = Union[Annotations, TestList]


def read_official(sources: Sequence[DataSource], notes: Notes) -> ParsedDataset:
    """Returns all labelled rows, and the test lists that are not completely labelled by other files.

    Rows of a file named val.csv get the part val, other labelled rows the part UNASSIGNED. Raises InputError that names
    file and row for malformed lists and for ids that do not have the form Images/<type>/<file>.
    """
    pictures, files = Pictures(), []
    for number, name, data in scan(sources, lambda name: name.lower().endswith('.csv'), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None and data.lstrip(b'\xef\xbb\xbf').startswith(_START):
            files.append((number, name, data))
        elif data is not None:
            what = _ATTRIBUTES if _ATTRIBUTE_ROW.match(data) else _OTHER_CSV
            notes[what].append(f'{sources[number].label}: {name}')
    labelled: List[Sample] = []
    lists: Dict[FrozenSet[str], List[Sample]] = {}
    lines = []
    for number, name, data in files:
        where = f'{sources[number].label}: {name}'
        tables = list(_tables(data, where))
        samples = [sample for table in tables for sample in _samples(table, number, name, pictures, where)]
        if isinstance(tables[0], Annotations):
            labelled += samples
        else:
            lists.setdefault(frozenset(sample.image_id for sample in samples), samples)
        lines.append(f'{where}: {len(samples)} {"labelled" if isinstance(tables[0], Annotations) else "unlabelled"}')
    tests = _tests(labelled, list(lists.values()), [source.label for source in sources], notes)
    note_unlisted([sample for samples in (labelled, *lists.values()) for sample in samples], pictures, sources, notes)
    return ParsedDataset(labelled + tests, lines)


def _tables(data: bytes, where: str) -> Iterator[Table]:
    """Yields the rows of a CSV file as tables without repeated ids: first occurrences, then second ones, and so on."""
    lines = data.decode('utf-8-sig', 'replace').splitlines()
    read = read_test_list if lines[0].strip().count(',') == 1 else read_annotations
    times: Dict[str, int] = {}
    rounds: List[List[str]] = []
    for row, line in enumerate(lines[1:], 1):
        image_id = line.split(',')[0]
        if not line.strip():
            continue
        times[image_id] = times.get(image_id, 0) + 1
        if times[image_id] > len(rounds):
            rounds.append(lines[:1] + [''] * (len(lines) - 1))  # empty rows keep the numbers of the others
        rounds[times[image_id] - 1][row] = line
    for rows in rounds or [lines[:1]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'rows.csv')
            path.write_bytes('\n'.join(rows + ['']).encode())
            try:
                yield read(path)
            except ValueError as error:
                raise InputError(str(error).replace(str(path), where)) from None


def _samples(table: Table, number: int, name: str, pictures: Pictures, where: str) -> Iterator[Sample]:
    part = VAL if isinstance(table, Annotations) and os.path.basename(name).lower() == 'val.csv' else UNASSIGNED
    for row, (image_id, category) in enumerate(zip(table.image_ids, table.categories)):
        if not _ID.fullmatch(image_id) or '..' in image_id.split('/') or not is_picture(image_id):
            raise InputError(f'{where}: image_id {shown(image_id)}, wanted Images/<type>/<file>.jpg')
        keypoints = table.keypoints[row] if isinstance(table, Annotations) else None
        yield Sample(image_id, category, keypoints, part, pictures.find(image_id, number, name))


def _tests(labelled: Sequence[Sample], lists: Sequence[Sequence[Sample]], labels: Sequence[str],
           notes: Notes) -> List[Sample]:
    """Returns the samples of the test lists that have unlabelled images; each list has a part of its own."""
    known = {sample.image_id for sample in labelled}
    parts: Dict[str, int] = {}
    tests = []
    for samples in lists:
        both = [sample.image_id for sample in samples if sample.image_id in known]
        if len(both) == len(samples):
            continue
        part = _part(samples, labels)
        parts[part] = parts.get(part, 0) + 1
        if parts[part] > 1:
            part = f'{part}_{parts[part]}'
        if both:
            notes[f'images of {part} that are labelled too, and trained on'] += both
        tests += [Sample(sample.image_id, sample.category, None, part, sample.picture) for sample in samples]
    return tests


def _part(samples: Sequence[Sample], labels: Sequence[str]) -> str:
    """Returns the part of a test list: test_a or test_b if the path of its first picture says so, else test."""
    places = (f'{labels[sample.picture[0]]}/{sample.picture[1]}' for sample in samples if sample.picture)
    names = _TEST_NAME.findall(next(places, ''))
    return f'test_{names[-1].lower()}' if names else TEST
