"""The control surface under `/_mock/`: calls that read the state of the server, and calls that change it."""
