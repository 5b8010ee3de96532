"""The world's clock and those who live by it: history, fork, arms."""

from omnisim.simulation.clock import Appointment, Simulation, State, shared_history, simulate

__all__ = ["Appointment", "Simulation", "State", "shared_history", "simulate"]
