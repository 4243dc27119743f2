"""The rows of the experiments: one a setting and seed, in a CSV file."""
import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Tuple

from fashionai.annotations import data_rows
from fashionai.errors import InputError
from fashionai.files import read_json, replacing


@dataclass(frozen=True)
class Row:
    """What came of a setting at one seed. Of several networks, the sums.

    `parameters` are those of the inference network; `gflops_368` and `gflops` are a pass of one image at 368x368 and
    at the budget's size; `images_per_second` is in training; NE is in percent. `command` makes the row again.
    """

    setting: str
    group: str
    flags: str
    seed: int
    parameters: int
    gflops_368: float
    gflops: float
    images_per_second: Optional[float]
    ne_visible: float
    ne_leaderboard: float
    tensorflow: str
    command: str

    @property
    def key(self) -> Tuple[str, int]:
        """No two rows have the same."""
        return self.setting, self.seed


_COLUMNS = [item.name for item in fields(Row)]


def read_rows(path: Path) -> Dict[Tuple[str, int], Row]:
    """The rows of a file by key, none where there is no file. Raises InputError where it is not such a table."""
    if not path.exists():
        return {}
    rows = [_row(dict(zip(_COLUMNS, cells)), f'{path}, row {number}')
            for number, cells in data_rows(path, _COLUMNS, more=False)]
    return {row.key: row for row in rows}


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write the table, whole or not at all."""
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator='\n')
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def errors_of(path: Path) -> Tuple[float, float]:
    """NE `visible` and `leaderboard`, in percent, of what evaluate.py --json wrote."""
    scores = read_json(path)
    return scores['visible']['ne'], scores['leaderboard']['ne']


def _row(values: Dict[str, Any], place: str) -> Row:
    try:
        numbers = {name: float(values[name]) for name in ('gflops_368', 'gflops', 'ne_visible', 'ne_leaderboard')}
        speed = float(values['images_per_second']) if values['images_per_second'] else None
        return Row(**{**values, **numbers, 'images_per_second': speed, 'seed': int(values['seed']),
                      'parameters': int(values['parameters'])})
    except (TypeError, ValueError) as error:
        raise InputError(f'{place}: {error}') from None
