import torch

from gnomon.supernets.training.lessons.augmentation import erase, flip_and_shift


def test_shift_moves_by_at_most_its_pixels():
    images = torch.zeros(64, 1, 9, 9)
    images[:, 0, 4, 4] = 1
    moved = flip_and_shift(images, torch.Generator().manual_seed(0), pixels=2)
    _, _, rows, columns = moved.nonzero(as_tuple=True)
    assert len(rows) == 64
    assert {*rows.tolist()} == {*columns.tolist()} == {2, 3, 4, 5, 6}


def test_erase_blanks_squares_in_about_half_of_the_images():
    images = torch.ones(400, 1, 28, 28)
    touched = (erase(images, torch.Generator().manual_seed(0), size=10).sum((1, 2, 3)) < 784).double().mean()
    assert 0.35 < touched < 0.65
