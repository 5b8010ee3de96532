"""The world's clock and those who live by it: history, fork, arms."""

from omnisim.simulation.arms import shared_history, simulate
from omnisim.simulation.clock import Appointment, Simulation, State

__all__ = ["Appointment", "Simulation", "State", "shared_history", "simulate"]
