"""Which training records pushed the model to the captured decisions: similarity of gradients.

TracIn (G. Pruthi et al., NeurIPS 2020) sums inner products of the loss's gradients at checkpoints. Of the last linear operator's gradient
the product is that of two residuals times that of two feature vectors. Two checkpoints are at hand, and each is asked what it knows best:

- the suspect, which has learned the records and has next to no residual left: there the product is renormalised to a cosine (Z. Hammoudeh
  and D. Lowd, CCS 2022), and features are taken from their clean mean, because rectified features all point the same way;
- the golden model, which has not: there a record's residual keeps its size, so that a label the golden model denies weighs more.
"""

import numpy as np

from .layers import Activations


def influence(
    suspect: tuple[Activations, Activations],
    golden: tuple[Activations, Activations],
    centres: tuple[np.ndarray, np.ndarray],
    labels: np.ndarray,
    answers: np.ndarray,
) -> np.ndarray:
    """Each model's (records, requests), and its mean features over clean records; labels int [N] of the records, answers int [M] that the
    suspect gave the requests. Means over the requests, float64 [N], within [−2, 2]; positive pulls towards those answers."""
    learned = _aligned(*suspect, centres[0], labels, answers, renormalised=True)
    asked = _aligned(*golden, centres[1], labels, answers, renormalised=False)
    return learned + asked / np.sqrt(2)


def _aligned(
    records: Activations, requests: Activations, centre: np.ndarray, labels: np.ndarray, answers: np.ndarray, *, renormalised: bool
) -> np.ndarray:
    pulls = residuals(records.logits, labels)
    pulls = _unit(pulls) if renormalised else pulls
    wanted = _unit(residuals(requests.logits, answers))
    seen, looked = _unit(records.features - centre), _unit(requests.features - centre)
    return ((pulls @ wanted.T) * (seen @ looked.T)).mean(1)


def residuals(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """softmax − one-hot [N, classes]: the cross-entropy's gradient by the logits, of a length up to √2. The own class is summed from the
    others, which is exact where it is near one."""
    raised = np.exp((logits - logits.max(1, keepdims=True)).astype(np.float64))
    raised /= raised.sum(1, keepdims=True)
    rows = np.arange(len(logits))
    raised[rows, classes] = 0
    raised[rows, classes] = -raised.sum(1)
    return raised


def _unit(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-30)
