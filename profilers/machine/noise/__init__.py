"""What on this machine may make timings noisy, why, and which command fixes it; and how noisy they are right now."""

from .cause import NoiseCause
from .checks import advice, noise_causes
from .timer import TimerNoise, timer_noise

__all__ = ["NoiseCause", "TimerNoise", "advice", "noise_causes", "timer_noise"]
