"""Tests of the control surface, and what they steer with (`steer.py`)."""
