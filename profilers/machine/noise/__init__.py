"""What on this machine may make timings noisy, why, and which command fixes it; and how noisy they are right now."""

from .cause import NoiseCause
from .checks import advice, noise_causes
from .core import CoreNoise, core_noise

__all__ = ["CoreNoise", "NoiseCause", "advice", "core_noise", "noise_causes"]
