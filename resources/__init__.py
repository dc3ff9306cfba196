"""Icons, samples and other data files, read through importlib.resources."""
