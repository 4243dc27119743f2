"""The report on a submission."""
from pathlib import Path
from typing import Optional

from fashionai.evaluation.report import sections
from fashionai.evaluation.report.document import document
from fashionai.evaluation.report.markup import Html
from fashionai.evaluation.report.resampling import differences, ne_estimates
from fashionai.evaluation.report.scored_submission import ScoredSubmission
from fashionai.evaluation.report.systematic_errors import biases, swapped_pairs
from fashionai.evaluation.report.words import findings
from fashionai.files import PathLike, write_text


def write_report(path: PathLike, scored: ScoredSubmission, folder: Optional[Path],
                 second: Optional[ScoredSubmission]) -> None:
    """Writes the report on a submission, completely or not at all.

    Args:
        path: the HTML file.
        scored: the submission.
        folder: the folder that image ids start from; None to list the worst images without pictures.
        second: another submission of the same images to compare with, or None.

    Raises InputError if an image cannot be read or if matplotlib is not installed.
    """
    text = page(scored, folder, second)
    write_text(path, text)


def page(scored: ScoredSubmission, folder: Optional[Path], second: Optional[ScoredSubmission]) -> Html:
    """Returns the whole page. Arguments and errors as in `write_report`."""
    images = sections.worst(scored, folder)  # first, since a picture may be missing
    errors, offsets = ne_estimates(scored), biases(scored)
    complete, swapped = swapped_pairs(scored)
    parts = [sections.summary(findings(scored, errors, offsets, int(complete.sum()), int(swapped.sum())))]
    if second is not None:
        parts.append(sections.comparison(differences(scored, second), second))
    parts += [sections.errors(scored, errors), sections.distribution(scored), sections.bias(offsets),
              sections.swaps(scored, complete, swapped), images]
    subtitle = sections.note(f'Measured against the labels of {len(scored.truth)} images in '
                             f'{sections.short(scored.truth.source)}.')
    return document(f'Report on {sections.short(scored.source)}', subtitle, parts)
