"""What a user can change in the data of a training, apart from the files: which rows, and which of their points."""
from dataclasses import dataclass

from fashionai.choices import Choices

OCCLUDED = ('masked', 'counted')


@dataclass(frozen=True)
class DataOptions(Choices):
    """Flags of train.py and send_batches.py, kept in run.json.

    `sampling`: how often each row is drawn, a name of sampling.SAMPLINGS or the path of a file of image errors.
    `occluded`: whether a point that is labelled but hidden counts in the loss, a name of OCCLUDED.
    """

    sampling: str = 'balanced'
    occluded: str = OCCLUDED[0]

    def __post_init__(self) -> None:
        self.check(occluded=OCCLUDED)

    @property
    def count_occluded(self) -> bool:
        """Whether points of v = 0 count in the loss."""
        return self.occluded == 'counted'
