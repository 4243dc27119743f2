"""The formats of predict.py, by name."""
from types import MappingProxyType
from typing import Mapping, Type

from fashionai.results.coco_writers import CocoDataset, CocoResults
from fashionai.results.writers import JsonLines, LengthRows, SubmissionRows, TableRows, Writer

COCO, COCO_RESULTS, JSON, LENGTHS, TABLE = 'coco', 'coco-results', 'json', 'lengths', 'table'

FORMATS: Mapping[str, Type[Writer]] = MappingProxyType({
    JSON: JsonLines, 'csv': SubmissionRows, LENGTHS: LengthRows, COCO: CocoDataset, COCO_RESULTS: CocoResults,
    TABLE: TableRows})
"""Writers by the value of `--format`."""
