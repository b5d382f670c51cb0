"""Made-up machines: folders that hold a /proc and a /sys."""

import pytest

from gnomon.profilers import noise_causes


@pytest.fixture
def causes_of(tmp_path):
    """Return a function that gives the causes, by name, of a machine described by its files."""

    def find(files):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return {cause.name: cause for cause in noise_causes(tmp_path)}

    return find
