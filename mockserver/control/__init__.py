"""The control surface under `/_mock/`: looking in, and steering."""
