"""From a list of images to the rows of a submission, one after the other, so that an interrupted run can go on."""
import logging
from contextlib import closing
from pathlib import Path
from typing import Callable, ContextManager, Dict, List, Mapping, Sequence, Set, Tuple, Union

import numpy as np
from tqdm import tqdm

from fashionai.annotations import SubmissionWriter, TestList, image_path
from fashionai.files import locked
from fashionai.garments.table import Garments
from fashionai.images.decoder import Unreadable, read_or_unreadable
from fashionai.inference.missing_keypoints import submission_keypoints, usual_points
from fashionai.inference.pipeline import AT_ONCE, in_order
from fashionai.inference.second_pass import AnyPredictor
from fashionai.results.run_manifest import Record

_LOG = logging.getLogger(__name__)

_ASSUMED_HW = (512, 512)
"""The size of an image that cannot be read."""

_Batch = Tuple[str, Tuple[str, ...]]


def write_submission(record: Record, overwrite: bool, images: TestList, folder: Path, batch_size: int,
                     load: Callable[[], ContextManager[Mapping[str, AnyPredictor]]]) -> Dict[str, str]:
    """Write the row of every listed image to the record's output; where a run of the same job was cut off, go on.

    An image that cannot be read gets a row too: the mean shape in its middle.

    Args:
        record: the output and the job.
        overwrite: start anew, whatever is there.
        images: the list.
        folder: where the image ids lead from.
        batch_size: images that go through the network together.
        load: opens the predictors, by garment type, for several threads; not called where every row is there already.

    Returns:
        Image id -> error of every image that could not be read, those of the run that is gone on with included.

    Raises InputError, before anything is changed, if another process writes the output, if it is not of the same job,
    or if `load` raises it.
    """
    with locked(record.output, 'run.py'):
        return _written(record, overwrite, images, folder, batch_size, load)


def _written(record: Record, overwrite: bool, images: TestList, folder: Path, batch_size: int,
             load: Callable[[], ContextManager[Mapping[str, AnyPredictor]]]) -> Dict[str, str]:
    failures = {} if overwrite else record.resume()
    done = set() if overwrite else _done(record.output, images.garments)
    failures = {image_id: error for image_id, error in failures.items() if image_id in done}
    if set(images.image_ids) <= done:
        _LOG.info('%s is complete already: nothing to do', record.output)
        return failures
    with load() as predictors:
        if overwrite and record.output.exists():
            record.output.unlink()
        record.save(failures)
        with SubmissionWriter(record.output, True, images.garments) as writer:
            _write_rows(images, folder, predictors, writer, batch_size, record, failures)
    return failures


def _write_rows(images: TestList, folder: Path, predictors: Mapping[str, AnyPredictor], writer: SubmissionWriter,
                batch_size: int, record: Record, failures: Dict[str, str]) -> None:
    """Append the missing rows, type by type; a failure is noted before its row is written."""
    todo = images.select([i for i, image_id in enumerate(images.image_ids) if image_id not in writer.done])
    batches = [batch for tag in predictors for batch in _batches(todo.of_type(tag), tag, batch_size)]
    looks = in_order(lambda batch: _look(folder, batch[1], predictors[batch[0]]), batches, AT_ONCE)
    with tqdm(total=len(images), initial=len(images) - len(todo), unit='image') as progress, closing(looks):
        for (tag, ids), seen in zip(batches, looks):
            for image_id, found in zip(ids, seen):
                if isinstance(found, Unreadable):
                    failures[image_id] = found.reason
                    record.save(failures)
                    found = usual_points(images.garments[tag], _ASSUMED_HW)
                writer.append(image_id, tag, submission_keypoints(found, images.garments[tag]))
            progress.update(len(ids))


def _done(output: Path, garments: Garments) -> Set[str]:
    """Ids of the rows that a submission has, which may not exist yet."""
    if not output.exists():
        return set()
    with SubmissionWriter(output, True, garments) as writer:
        return writer.done


def _batches(images: TestList, tag: str, size: int) -> List[_Batch]:
    return [(tag, images.image_ids[start:start + size]) for start in range(0, len(images), size)]


def _look(folder: Path, ids: Sequence[str], predictor: AnyPredictor) -> List[Union[np.ndarray, Unreadable]]:
    """The points (K, 2) of each image of a batch, or why it cannot be read."""
    read = [read_or_unreadable(image_path(folder, image_id)) for image_id in ids]
    pictures = [picture for picture in read if not isinstance(picture, Unreadable)]
    predictions = iter(predictor.predict(pictures) if pictures else ())
    return [picture if isinstance(picture, Unreadable) else next(predictions).points_xy for picture in read]
