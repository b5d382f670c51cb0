"""A super-network for the digits, and how it is trained."""

from digits_task import macro_f1, splits
from torch import nn

from gnomon.supernets.own_networks.adapter import TorchSpace, block, layer
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.training_data.images import ImageTrainingData


class Convolution(nn.Sequential):
    def __init__(self, channels, width, kernel):
        super().__init__(
            nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)
        )


class Head(nn.Sequential):
    def __init__(self, values):
        super().__init__(nn.Flatten(), nn.Linear(values, 10))


class DigitsNet(TorchSpace):
    input_shape = (1, 8, 8)
    task = "digits"
    choices = {  # noqa: RUF012
        "width.1": (4, 8, 16),
        "kernel.1": (1, 3, 5),
        "width.2": (8, 16, 32),
        "kernel.2": (1, 3),
    }

    @block
    def first(self, width_1, kernel_1):
        return layer(Convolution, channels=1, width=width_1, kernel=kernel_1)

    @block
    def second(self, shape, width_2, kernel_2):
        return layer(Convolution, channels=shape[0], width=width_2, kernel=kernel_2)

    @block
    def head(self, shape):
        return layer(Head, values=shape[0] * shape[1] * shape[2])


def recipe():
    return Recipe((Phase(epochs=20, learning_rate=0.004, augmentation={"shift_pixels": 1}),), batch=50)


def training_data(space, data):
    training, validation, _ = splits()
    return ImageTrainingData(training, validation, metric_name="macro_f1", score=macro_f1)
