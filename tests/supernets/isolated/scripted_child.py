"""A child whose super-network does what the first gene says; started by the tests beside it."""

import importlib
import os
import signal
import time

import numpy as np

from gnomon.errors import GnomonError
from gnomon.supernets.evaluation.deciding import Outcomes
from gnomon.supernets.isolated import child
from gnomon.supernets.registry import load_space


class LicenceMissing(GnomonError):
    of_no_architecture = True


class Scripted:
    def __init__(self, space):
        self.space, self.has_outcomes = load_space(space), True

    def evaluate(self, architecture, split, share, *, precision):
        print("noise on stdout")
        wish = architecture.indices[0]
        if wish == 1:
            return self.misbehave(split)
        return 50.0 + share

    def misbehave(self, how):
        if how == "hang":
            time.sleep(3600)
        if how == "memory":
            raise MemoryError("Unable to allocate 8 TiB")
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "exit":
            os._exit(0)
        if how == "own":
            raise LicenceMissing("not on this machine")
        if ":" in how:
            module, _, name = how.partition(":")
            raise getattr(importlib.import_module(module), name)("not on this machine")
        return {"text": "ninety", "nan": float("nan")}[how]

    def outcomes(self, architecture, split, rows, *, precision):
        every = np.arange(1000)
        chosen = every if rows is None else every[rows]
        return Outcomes(chosen % 3 == 0, (chosen / 7).astype(np.float16))


child.load_supernet = lambda space, **_: Scripted(space)
child.main()
