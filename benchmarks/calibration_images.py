"""How many images batch norm's calibration needs: top-1 against the number of images, on weights that were trained.

    python benchmarks/calibration_images.py --fashion "$(gnomon data prepare fashion-mnist)"
    python benchmarks/calibration_images.py --weights efficientnet-lite0-57934424.pth --photos FOLDER

The first calibrates sub-networks of the shipped super-network on other training images each time, and judges them on
the official test images. The second asks in how many images EfficientNet-Lite0, calibrated, names the class that it
names with the running statistics that it was published with. No labelled photographs are at hand: the images are
random crops of the photographs in a folder, so calibration and test see one distribution, which is not ImageNet's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from environment import print_environment
from numpy.typing import NDArray
from PIL import Image

from gnomon.supernets import load_space
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.data.labelled import batches_of, top1_percent
from gnomon.supernets.elastic import ElasticNetwork, Statistics
from gnomon.supernets.elastic.normalisation import Calibration
from gnomon.supernets.space.parse import architectures_from_text
from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.tasks.fashion_mnist import training_split

COUNTS = (32, 64, 128, 256, 512, 1024, 2048, 4096)
PHOTO_BATCH = 111  # what Classifier calibrates on at once at 224 pixels
PHOTO_COUNTS = (32, 111, 222, 444, 888, 1776)


def fashion_curve(data: Path, draws: int, test_images: int) -> None:
    """Print top-1 of sub-networks by the number of calibration images: mean and deviation over draws."""
    supernet, (training, _) = load_supernet("fashion_mnist", data=data), training_split(data)
    test = supernet.split("test").take(slice(test_images))
    print(f"fashion_mnist, shipped weights, top-1 in percent on {len(test):,} test images, {draws} draws")
    for text in ("smallest", "largest", "random:2"):
        for architecture in architectures_from_text(supernet.space, text):
            said = []
            for count in COUNTS:
                found = []
                for draw in range(draws):
                    rows = np.random.default_rng(draw).permutation(len(training))[:count]
                    statistics = supernet.network.calibrate_on(architecture, batches_of(training.take(rows), 512))
                    logits = supernet.network.logits_of(batches_of(test, 128), architecture, statistics)
                    found.append(top1_percent(logits.numpy(), test.labels))
                said.append(f"{count}: {np.mean(found):.2f} ({np.std(found):.2f})")
            print(f"  {text.partition(':')[0]:8s} {architecture.id}  {', '.join(said)}", flush=True)


def crops(photos: list[Path], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return square crops of random place and size as the network takes them, (n, 3, 224, 224)."""
    opened = [Image.open(path).convert("RGB") for path in photos]
    for image in opened:
        image.thumbnail((1600, 1600))
    found = []
    for number in range(count):
        image = opened[number % len(opened)]
        side = int(min(image.size) * rng.uniform(0.3, 1.0))
        left, top = (int(rng.integers(0, length - side + 1)) for length in image.size)
        pixels = image.resize((224, 224), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
        found.append((np.asarray(pixels, dtype=np.float32).transpose(2, 0, 1) - 127) / 128)
    return np.stack(found)[rng.permutation(count)]


def growing(network: ElasticNetwork, images: torch.Tensor) -> Iterator[tuple[int, Statistics]]:
    """Yield each number of images with the statistics that they give, none run twice at the same batch."""
    yield PHOTO_COUNTS[0], network.calibrate(network.largest, images[: PHOTO_COUNTS[0]])
    calibration, done = Calibration(), 0
    for batch in torch.split(images, PHOTO_BATCH):
        with torch.inference_mode():
            network(batch, network.largest, calibration)
        done += len(batch)
        if done in PHOTO_COUNTS:
            yield done, calibration.statistics()


def photo_curve(weights: Path, folder: Path, draws: int, test_images: int) -> None:
    """Print how often the calibrated network says what the published one says, by the number of calibration images."""
    network = ElasticNetwork(load_space("efficientnet_lite0")).requires_grad_(False)
    load_checkpoint(network, weights)
    published = network.parent_statistics
    assert published is not None
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))

    def classes(images: torch.Tensor, statistics: object) -> NDArray[np.int64]:
        return network.logits(images, network.largest, statistics, batch=13).argmax(1).numpy()  # type: ignore[arg-type]

    agreed: dict[int, list[float]] = {count: [] for count in PHOTO_COUNTS}
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        test, calibration = (torch.from_numpy(crops(photos, n, rng)) for n in (test_images, max(PHOTO_COUNTS)))
        expected = classes(test, published)
        for count, statistics in growing(network, calibration):
            agreed[count].append(100 * float(np.mean(classes(test, statistics) == expected)))
    print(f"efficientnet_lite0, published weights, {test_images} crops of {len(photos)} photographs, {draws} draws:")
    print("share of crops, in percent, in which the calibrated network names the published one's class")
    print("  " + ", ".join(f"{count}: {np.mean(found):.1f} ({np.std(found):.1f})" for count, found in agreed.items()))


def main() -> None:
    """Print the curves that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fashion", type=Path, help="folder of the full Fashion-MNIST")
    parser.add_argument("--weights", type=Path, help="the published file of EfficientNet-Lite0")
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--draws", type=int, default=3, help="how often other images are drawn")
    parser.add_argument("--test-images", type=int, default=4000, help="how many images judge")
    arguments = parser.parse_args()
    print_environment()
    if arguments.fashion:
        fashion_curve(arguments.fashion, arguments.draws, arguments.test_images)
    if arguments.weights and arguments.photos:
        photo_curve(arguments.weights, arguments.photos, arguments.draws, arguments.test_images)


if __name__ == "__main__":
    main()
