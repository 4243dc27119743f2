"""The rows of the experiments in a CSV file: one row per setting and seed."""
import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Tuple

from fashionai.annotations import data_rows
from fashionai.errors import InputError
from fashionai.files import read_json, replacing


@dataclass(frozen=True)
class Row:
    """The result of a setting at one seed. If it uses several networks, their costs are summed.

    parameters: of the inference network. gflops_368, gflops: for one image at 368x368 pixels and at the budget's size.
    images_per_second: in training, None if unknown. ne_visible, ne_leaderboard: in percent. command: makes the row
    again.
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
        """Setting and seed; unique in a table."""
        return self.setting, self.seed


_COLUMNS = [item.name for item in fields(Row)]


def read_rows(path: Path) -> Dict[Tuple[str, int], Row]:
    """Returns the rows of a file by key; {} if there is no file. Raises InputError if it is not such a table."""
    if not path.exists():
        return {}
    rows = [_row(dict(zip(_COLUMNS, cells)), f'{path}, row {number}')
            for number, cells in data_rows(path, _COLUMNS, more=False)]
    return {row.key: row for row in rows}


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes the table. If writing fails, the old file is unchanged."""
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator='\n')
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def errors_of(path: Path) -> Tuple[float, float]:
    """Returns NE `visible` and `leaderboard`, in percent, from a file that evaluate.py --json wrote."""
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
