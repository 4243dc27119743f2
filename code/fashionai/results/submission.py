"""Writes a submission from a list of images, row by row, so that an interrupted run can continue."""
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
from fashionai.inference.batch_inference import AT_ONCE, in_order
from fashionai.inference.missing_keypoints import submission_keypoints, usual_points
from fashionai.inference.second_pass import AnyPredictor
from fashionai.results.run_manifest import RunManifest

_LOG = logging.getLogger(__name__)

_ASSUMED_HW = (512, 512)
"""The assumed (height, width) in pixels of an image that cannot be read."""

_Batch = Tuple[str, Tuple[str, ...]]


def write_submission(manifest: RunManifest, overwrite: bool, images: TestList, folder: Path, batch_size: int,
                     load: Callable[[], ContextManager[Mapping[str, AnyPredictor]]]) -> Dict[str, str]:
    """Writes the row of every listed image to the manifest's output, or continues an interrupted run of the same job.

    An image that cannot be read also gets a row: the mean shape in its middle.

    Args:
        manifest: the output and the job.
        overwrite: start anew, also if the output exists.
        images: the list.
        folder: the folder of the image ids.
        batch_size: images that go through the network together.
        load: opens the predictors, by garment type, for several threads; not called if every row exists already.

    Returns:
        Image id -> error of every image that could not be read, also of those in the part that is continued.

    Raises InputError, before anything is changed, if another process writes the output, if the output is of another
    job, or if `load` raises it.
    """
    with locked(manifest.output, 'run.py'):
        return _written(manifest, overwrite, images, folder, batch_size, load)


def _written(manifest: RunManifest, overwrite: bool, images: TestList, folder: Path, batch_size: int,
             load: Callable[[], ContextManager[Mapping[str, AnyPredictor]]]) -> Dict[str, str]:
    failures = {} if overwrite else manifest.resume()
    done = set() if overwrite else _done(manifest.output, images.garments)
    failures = {image_id: error for image_id, error in failures.items() if image_id in done}
    if set(images.image_ids) <= done:
        _LOG.info('%s is complete already: nothing to do', manifest.output)
        return failures
    with load() as predictors:
        if overwrite and manifest.output.exists():
            manifest.output.unlink()
        manifest.save(failures)
        with SubmissionWriter(manifest.output, True, images.garments) as writer:
            _write_rows(images, folder, predictors, writer, batch_size, manifest, failures)
    return failures


def _write_rows(images: TestList, folder: Path, predictors: Mapping[str, AnyPredictor], writer: SubmissionWriter,
                batch_size: int, manifest: RunManifest, failures: Dict[str, str]) -> None:
    """Appends the missing rows, type by type. A failure is noted before its row is written."""
    todo = images.select([i for i, image_id in enumerate(images.image_ids) if image_id not in writer.done])
    batches = [batch for tag in predictors for batch in _batches(todo.of_type(tag), tag, batch_size)]
    results = in_order(lambda batch: _predict_batch(folder, batch[1], predictors[batch[0]]), batches, AT_ONCE)
    with tqdm(total=len(images), initial=len(images) - len(todo), unit='image') as progress, closing(results):
        for (tag, ids), predicted in zip(batches, results):
            for image_id, found in zip(ids, predicted):
                if isinstance(found, Unreadable):
                    failures[image_id] = found.reason
                    manifest.save(failures)
                    found = usual_points(images.garments[tag], _ASSUMED_HW)
                writer.append(image_id, tag, submission_keypoints(found, images.garments[tag]))
            progress.update(len(ids))


def _done(output: Path, garments: Garments) -> Set[str]:
    """Returns the image ids of the rows of a submission; none if the file does not exist."""
    if not output.exists():
        return set()
    with SubmissionWriter(output, True, garments) as writer:
        return writer.done


def _batches(images: TestList, tag: str, size: int) -> List[_Batch]:
    return [(tag, images.image_ids[start:start + size]) for start in range(0, len(images), size)]


def _predict_batch(folder: Path, ids: Sequence[str], predictor: AnyPredictor) -> List[Union[np.ndarray, Unreadable]]:
    """Returns the points (K, 2) of each image of a batch, or why it cannot be read."""
    read = [read_or_unreadable(image_path(folder, image_id)) for image_id in ids]
    pictures = [picture for picture in read if not isinstance(picture, Unreadable)]
    predictions = iter(predictor.predict(pictures) if pictures else ())
    return [picture if isinstance(picture, Unreadable) else next(predictions).points_xy for picture in read]
