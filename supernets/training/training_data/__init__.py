"""What a task teaches: batches, losses and the metric, as the one trainer asks for them. One file a kind of task."""

from .training_data import TrainingData

__all__ = ["TrainingData"]
