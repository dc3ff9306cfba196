"""What makes scene data: formats and methods."""
