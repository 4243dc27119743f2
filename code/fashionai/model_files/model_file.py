"""A network's file that was opened and hashed once. Functions pass it on in place of a path."""
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garments
from fashionai.model_files.contract import EXPORTED, Contract, contract_of, file_sum

USUAL_HW = (368, 368)
"""Input size (height, width) of the original in pixels, for a file without a contract."""

USUAL_STRIDE = 8
"""Stride of every network of the original, for a file without a contract."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelFile:
    """A frozen graph or an exported model.

    Attributes:
        path: the file, or the folder of a SavedModel.
        contract: what the file says about itself; None if it has no contract.
        sum: the SHA-256 of its bytes, see `file_sum`.
    """

    path: Path
    contract: Optional[Contract]
    sum: str

    @classmethod
    def open(cls, path: Union[str, Path]) -> 'ModelFile':
        """Reads the bytes once, for their sum, and the contract.

        Raises OSError if there is no such file, and InputError for a contract that is damaged or belongs to another
        file.
        """
        path = Path(path)
        model_sum = file_sum(path)
        return cls(path, contract_of(path, model_sum), model_sum)

    @property
    def name(self) -> str:
        """The network by its contract, or the name of the file; and the first digits of the sum."""
        return f'{self.contract.model if self.contract else self.path.stem}-{self.sum[:12]}'

    @property
    def trained_hw(self) -> Tuple[int, int]:
        """The size (height, width) in pixels that the network was trained at; USUAL_HW without a contract."""
        return self.contract.input_hw if self.contract else USUAL_HW

    @property
    def garments(self) -> Garments:
        """The table of garments that the network was trained with; the built-in one without a contract."""
        return self.contract.garments if self.contract else GARMENTS


def warn_of_assumptions(models: Sequence[ModelFile], way_out: str = '') -> None:
    """Logs a warning for each frozen graph without a contract: what is assumed of it, and the way out if that is wrong.
    Without a contract an exported model is refused when it is opened."""
    for model in models:
        if model.contract is None and model.path.suffix not in EXPORTED.values():
            _LOG.warning('%s has no contract inside or beside it, like the graphs of the original. So it is used as '
                         'one of them: trained at %dx%d, stride %d%s', model.path, *USUAL_HW[::-1], USUAL_STRIDE,
                         way_out and f'. If it was trained at another size, {way_out}')


def trained_garments(models: Sequence[ModelFile]) -> Garments:
    """Returns the table of garments that all models were trained with. Raises InputError if there are several."""
    first = models[0]
    for model in models:
        if model.garments != first.garments:
            raise InputError(f'{model.path} was trained with another table of garments ({model.garments}) than '
                             f'{first.path} ({first.garments}): wanted models of one table, or --garments')
    return first.garments
