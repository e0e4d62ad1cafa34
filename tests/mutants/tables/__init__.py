"""The mutants, as data: a file for each part of a provider."""
