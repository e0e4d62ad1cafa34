"""The client and its parts. The folder blocking is generated from the folder asynchronous."""
