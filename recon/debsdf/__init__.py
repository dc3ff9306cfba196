"""Indoor surface from posed photos: DebSDF (arXiv:2308.15536)."""
