"""Edited views of a scene from anywhere, without training for it (DN2N, arXiv:2309.04917)."""
