"""What an output was made from, kept beside it, so that a run goes on only if it is the same run.

The record of `submit_skirt.csv` is the hidden file `.submit_skirt.csv.json`: the job, and the images that failed.
"""
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Sequence

from fashionai.errors import InputError
from fashionai.files import read_json, write_json


@dataclass(frozen=True)
class Record:
    """The record of one output file. `job` names everything that decides its rows, as text."""

    output: Path
    job: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The record's own file."""
        return self.output.with_name(f'.{self.output.name}.json')

    def resume(self) -> Dict[str, str]:
        """Check that the output, if there is one, is of this very job; the failures (image -> error) noted so far.

        Raises InputError, saying what differs, where it is not.
        """
        if not self.output.exists():
            return {}
        if not self.path.exists():
            raise InputError(f'{self.output} is there already and holds no record of its run: '
                             'give --overwrite to start anew, or another --output')
        try:
            noted = read_json(self.path)
            job, failures = noted['job'], dict(noted['failures'])
        except (ValueError, KeyError, TypeError):
            raise InputError(f'{self.path} is damaged: give --overwrite to start anew') from None
        differing = [name for name in self.job if job.get(name) != self.job[name]]
        if differing:
            raise InputError(f'{self.output} was written with another {" and ".join(differing)}: '
                             'give --overwrite to start anew, or another --output')
        return failures

    def save(self, failures: Mapping[str, str]) -> None:
        """Write the record, at once or not at all."""
        write_json(self.path, {'job': dict(self.job), 'failures': dict(failures)})


def list_sum(lines: Sequence[str]) -> str:
    """The SHA-256 of a list of texts, names of files that are not UTF-8 among them."""
    return hashlib.sha256('\n'.join(lines).encode(errors='surrogateescape')).hexdigest()
