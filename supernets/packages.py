"""How to install what a part of Gnomon needs besides: its packages by name, which is right wherever Gnomon came from.

A line such as `pip install 'gnomon[text]'` would be true only where a distribution of that name is published. The
requirements are those of the extras in pyproject.toml; a test holds the two equal.
"""

from __future__ import annotations

EXTRAS = {
    "onnxruntime": ("onnxruntime>=1.20",),
    "openvino": ("openvino>=2025.0",),
    "torch": ("torch>=2.6", "safetensors>=0.4.5", "pillow>=10.3"),
    "text": ("sacrebleu>=2.4", "tokenizers>=0.20"),
    "search": ("pymoo>=0.6.2", "moocore>=0.2", "scikit-learn>=1.5", "scipy>=1.13"),
    "plot": ("matplotlib>=3.9",),
    "report": ("jinja2>=3.1", "markupsafe>=2.1"),
    "parquet": ("pyarrow>=17",),
    "yaml": ("pyyaml>=6.0",),
    "frame": ("pandas>=2.2",),
    "optuna": ("optuna>=4",),
    "ray": ("ray>=2.40",),
    "mlflow": ("mlflow-skinny>=3.17", "sqlalchemy>=2.0", "alembic>=1.13"),
    "tensorboard": ("tensorboard>=2.21",),
    "wandb": ("wandb>=0.31",),
    "testing": ("pytest>=8.3",),
}
IMPORTED_AS = {
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "pyyaml": "yaml",
    "tomli-w": "tomli_w",
    "mlflow-skinny": "mlflow",
}  # not the package's name


def module_of(requirement: str) -> str:
    """Return the module that a requirement such as `pillow>=10.3` brings."""
    name = requirement.partition(">")[0]
    return IMPORTED_AS.get(name, name)


def install_command(module: str) -> str | None:
    """Return what installs `module`, by its dotted name, and all that is used with it; None for an unknown one."""
    top = module.partition(".")[0]
    for packages in EXTRAS.values():
        if top in map(module_of, packages):
            return f"pip install {' '.join(map(repr, packages))}"
    return None
