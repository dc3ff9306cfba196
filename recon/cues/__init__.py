"""Depth and normals of single images: checked, brought into the world, computed."""
