"""The folder of an output: parts are whole, another job is refused, and readers see the rows alone."""
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, List

import pytest

from fashionai.bulk.output import Output, PartCounts
from fashionai.bulk.rows import RowSettings, failed_row
from fashionai.bulk.running import PartWriter, parts_of
from fashionai.bulk.schedule import Task
from fashionai.bulk.worker import table_of
from fashionai.errors import InputError

pytest.importorskip('pyarrow')
pq = pytest.importorskip('pyarrow.parquet')


@pytest.fixture
def output(tmp_path: Path) -> Output:
    made = Output(str(tmp_path / 'out.parquet'), {'graph': 'g', 'list of pictures': 'l'}, {'input': ['x']})
    made.begin(overwrite=False)
    return made


def table(numbers: List[int], failing: List[int]) -> Any:
    """Rows with these numbers as ids; some with an error."""
    rows = [failed_row({'id': str(number), 'bytes': b''}, 'bad', RowSettings('m', 's')) for number in numbers]
    return table_of([row if number in failing else {**row, 'error': None, 'type': 'skirt'}
                     for number, row in zip(numbers, rows)])


def test_a_part_is_written_when_its_last_rows_come_and_in_order(output: Output, tmp_path: Path) -> None:
    writer = PartWriter(output, {part.part: part for part in parts_of(10, 6)}, {})
    writer.add(Task(0, 3, 6), table([3, 4, 5], [4]))
    writer.add(Task(1, 6, 10), table([6, 7, 8, 9], []))
    assert sorted(output.done()) == [1] and writer.failed == 1
    writer.add(Task(0, 0, 3), table([0, 1, 2], [0]))
    assert output.done() == {0: PartCounts(6, 2), 1: PartCounts(4, 0)} and writer.failed == 2
    output.finish([0, 1], {'pictures': 10}, {'numpy': '2'})
    rows = pq.read_table(output.place).to_pylist()
    assert [row['id'] for row in rows] == list(map(str, range(10))), 'readers of the folder see the parts alone'
    assert pq.read_table(output.failures).to_pylist() == [{'id': '0', 'source': None, 'error': 'bad'},
                                                          {'id': '4', 'source': None, 'error': 'bad'}]
    manifest = json.loads((tmp_path / 'out.parquet/_manifest.json').read_text())
    assert manifest['counts'] == {'pictures': 10} and manifest['versions'] == {'numpy': '2'}
    assert manifest['job'] == output.job and manifest['input'] == ['x']


def test_the_same_job_goes_on_and_another_is_refused(output: Output) -> None:
    output.write(0, table([0], []))
    replace(output).begin(overwrite=False)
    with pytest.raises(InputError, match='graph') as refused:
        replace(output, job={**output.job, 'graph': 'other'}).begin(overwrite=False)
    assert 'list' not in str(refused.value) and output.done() == {0: PartCounts(1, 0)}


def test_overwrite_removes_what_is_ours_alone(output: Output, tmp_path: Path) -> None:
    output.write(0, table([0], []))
    (tmp_path / 'out.parquet/notes.txt').write_text('mine')
    other = replace(output, job={'graph': 'other'})
    with pytest.raises(InputError):
        other.begin(overwrite=True)
    assert (tmp_path / 'out.parquet/notes.txt').read_text() == 'mine'
    (tmp_path / 'out.parquet/notes.txt').unlink()
    other.begin(overwrite=True)
    assert other.done() == {}


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'precious.txt').write_text('x')
    with pytest.raises(InputError, match=str(tmp_path)):
        Output(str(tmp_path), {}, {}).begin(overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ['precious.txt']


def test_damaged_parts_and_drafts_do_not_count(output: Output, tmp_path: Path) -> None:
    folder = tmp_path / 'out.parquet'
    for number in range(3):
        output.write(number, table([number], []))
    whole = (folder / 'part-000001.parquet').read_bytes()
    (folder / 'part-000001.parquet').write_bytes(whole[:-9])
    (folder / '.part-000007.parquet.tmp').write_bytes(whole[:50])
    assert sorted(output.done()) == [0, 2]


def test_a_damaged_manifest_is_named(output: Output, tmp_path: Path) -> None:
    for text in ('{', '[]', '{"job": 3}'):
        (tmp_path / 'out.parquet/_manifest.json').write_text(text)
        with pytest.raises(InputError, match='_manifest.json'):
            output.begin(overwrite=False)
