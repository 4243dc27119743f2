"""Two submissions of the same images: does one err less, or is it chance?"""
from dataclasses import dataclass
from typing import List, Optional

import numpy as np

from fashionai.evaluation.report.measurement import ALL, CONVENTIONS, Measurement, error_sums
from fashionai.evaluation.report.resampling import Estimate, estimates, ratio, resampled


@dataclass(frozen=True)
class Difference:
    """NE of a first and a second submission, in percent, and the first less the second, in points: below 0, the first
    is better. `name` is a garment type or ALL."""

    name: str
    convention: str
    first: Optional[float]
    second: Optional[float]
    estimate: Estimate


def differences(first: Measurement, second: Measurement) -> List[Difference]:
    """Over all and by type, in both conventions. Both are drawn alike, so what is hard for both weighs nothing."""
    found = []
    for convention in CONVENTIONS:
        (sums, counts), (other_sums, other_counts) = (error_sums(one, convention) for one in (first, second))
        both_sums, both_counts = np.hstack([sums, other_sums]), np.hstack([counts, other_counts])
        values, drawn = ratio(both_sums.sum(axis=0), both_counts.sum(axis=0)), resampled(both_sums, both_counts)
        width = sums.shape[1]
        changes = estimates(values[:width] - values[width:], drawn[:, :width] - drawn[:, width:])
        for place, (name, change) in enumerate(zip((ALL, *first.types), changes)):
            known = change.value is not None
            found.append(Difference(name, convention, float(values[place]) if known else None,
                                    float(values[width + place]) if known else None, change))
    return found
