"""The simulator: a carrier inside the process, with any number of handsets and the networks between them and us."""

from stopwire.carriers.simulator.carrier import Simulator

__all__ = ["Simulator"]
