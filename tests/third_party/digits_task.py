"""Scikit-learn's digits, 1,797 grey images of 8x8, judged by macro F1: each class counts alike."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score

from gnomon.supernets import DataUnavailable
from gnomon.supernets.data.images import LabelledImages
from gnomon.supernets.data.labelled import ClassificationTask
from gnomon.supernets.metric import Metric

METRIC = Metric("macro_f1", "percent", "max", tolerance=0.1)


def macro_f1(logits, labels):
    return float(100 * f1_score(labels, logits.argmax(1), average="macro", zero_division=0))


def splits():
    """Training, validation and test, the same at every call."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    pixels = (digits.images[order, None] * 15).astype(np.uint8)  # (n, 1, 8, 8), from 0..16 to 0..240
    labels = digits.target[order].astype(np.int64)
    mean, deviation = pixels[:1000].mean() / 255, pixels[:1000].std() / 255
    cuts = (slice(1000), slice(1000, 1400), slice(1400, None))
    return [LabelledImages(pixels[cut], labels[cut], float(mean), float(deviation)) for cut in cuts]


def load(space, folder=None):
    if folder is not None:
        raise DataUnavailable("the digits come with scikit-learn; leave --data out")
    training, validation, test = splits()
    return ClassificationTask("digits", training.take(slice(512)), validation, test, metric=METRIC, score=macro_f1)
