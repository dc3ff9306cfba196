"""Qt parts: they know scene data, not the project and not the methods."""
