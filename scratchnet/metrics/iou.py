"""Intersection over union, for segmentation: of what is one class or is taken for it, the share that is both.

    IoU = TP / (TP + FP + FN)

(Jaccard 1901.) All counts come from one matrix: how often class i was taken for class j.
"""

from collections.abc import Sequence

import numpy as np

from scratchnet import config
from scratchnet.metrics.base import Metric
from scratchnet.registry import register


@register("metrics")
class IoU(Metric):
    """The mean intersection over union of some classes.

    Args:
        num_classes: how many classes there are.
        target_class_ids: of which the mean is taken; those that are neither true nor predicted do not count.
        name, dtype: see `Metric`.
        ignore_class: a label whose samples do not count.
        sparse_y_true, sparse_y_pred: whether they are labels (N, ...), or one-hot or probabilities (N, ..., classes).
        axis: the axis of classes where they are not labels.

    Labels outside the classes do not count.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int | Sequence[int] = -1,
    ):
        super().__init__(dtype, name)
        if max(target_class_ids) >= num_classes:
            raise self.error(f"the class {max(target_class_ids)} is outside the {num_classes} classes")
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = bool(sparse_y_true), bool(sparse_y_pred)
        self.total_cm = self.add_variable((num_classes, num_classes), "zeros", name="total_confusion_matrix")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        t = np.asarray(y_true) if self.sparse_y_true else np.argmax(y_true, axis=self.axis)
        p = np.asarray(y_pred) if self.sparse_y_pred else np.argmax(y_pred, axis=self.axis)
        if t.size != p.size:
            raise self.error(f"{t.size} labels for {p.size} predictions")
        weights = np.broadcast_to(1.0 if sample_weight is None else np.reshape(sample_weight, -1), (t.size,))
        t, p = t.reshape(-1).astype(np.int64), p.reshape(-1).astype(np.int64)
        counts = (t >= 0) & (t < self.num_classes) & (p >= 0) & (p < self.num_classes)
        if self.ignore_class is not None:
            counts &= t != self.ignore_class
        pairs = t[counts] * self.num_classes + p[counts]
        matrix = np.bincount(pairs, weights[counts], self.num_classes**2)
        self.total_cm.assign_add(matrix.reshape(self.total_cm.shape))

    def result(self):
        matrix = self.total_cm.value
        both = np.diag(matrix)
        either = (matrix.sum(axis=0) + matrix.sum(axis=1) - both)[self.target_class_ids]
        there = either > 1e-9
        iou = np.where(there, both[self.target_class_ids] / (either + config.epsilon()), 0)
        return iou.sum() / (there.sum() + config.epsilon())


@register("metrics")
class BinaryIoU(IoU):
    """The intersection over union of two classes, for probabilities of the second.

    Args:
        target_class_ids: the classes of which the mean is taken: 0, 1 or both.
        threshold: a prediction of at least this is of class 1.
        name, dtype: see `Metric`.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        y_pred = np.asarray(y_pred)
        super().update_state(y_true, y_pred >= np.asarray(self.threshold, y_pred.dtype), sample_weight)


@register("metrics")
class MeanIoU(IoU):
    """The mean intersection over union of all classes. Arguments as `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int | Sequence[int] = -1,
    ):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


@register("metrics")
class OneHotIoU(IoU):
    """`IoU` for one-hot targets. Arguments as there."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int | Sequence[int] = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@register("metrics")
class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` for one-hot targets. Arguments as `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int | Sequence[int] = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
