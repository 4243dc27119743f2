"""The manifest of a run: what its output is made from. Only a run of the same job continues the output.

The manifest of `submit_skirt.csv` is the hidden file `.submit_skirt.csv.json` beside it: the job, and the images that
failed.
"""
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Sequence

from fashionai.errors import InputError
from fashionai.files import read_json, write_json


@dataclass(frozen=True)
class RunManifest:
    """The manifest of one output file.

    Attributes:
        output: the file.
        job: everything that decides the rows of the file, as texts by name.
    """

    output: Path
    job: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The file of the manifest itself."""
        return self.output.with_name(f'.{self.output.name}.json')

    def resume(self) -> Dict[str, str]:
        """Returns the failures (image -> error) that the manifest has, {} if there is no output.

        Raises InputError if the output is of another job; it says what differs.
        """
        if not self.output.exists():
            return {}
        if not self.path.exists():
            raise InputError(f'{self.output} exists, and its manifest {self.path.name} does not: '
                             'give --overwrite to start anew, or another --output')
        try:
            noted = read_json(self.path)
            job, failures = noted['job'], dict(noted['failures'])
        except (ValueError, KeyError, TypeError):
            raise InputError(f'{self.path} is damaged: give --overwrite to start anew') from None
        check_same_job(str(self.output), job, self.job)
        return failures

    def save(self, failures: Mapping[str, str]) -> None:
        """Writes the manifest, as a whole or not at all."""
        write_json(self.path, {'job': dict(self.job), 'failures': dict(failures)})


def check_same_job(output: str, before: Mapping[str, str], job: Mapping[str, str]) -> None:
    """Raises InputError if the job that wrote an output is another than the one that would continue it; it says what
    differs."""
    differing = [name for name in job if before.get(name) != job[name]]
    if differing:
        raise InputError(f'{output} was written with another {" and ".join(differing)}: '
                         'give --overwrite to start anew, or another --output')


def list_sum(lines: Sequence[str]) -> str:
    """Returns the SHA-256 of a list of texts, which may be names of files that are not UTF-8."""
    return hashlib.sha256('\n'.join(lines).encode(errors='surrogateescape')).hexdigest()
