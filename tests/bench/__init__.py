"""Measurements, printed and written to build/bench; never asserted."""
