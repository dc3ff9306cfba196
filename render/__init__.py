"""What a scene is, and its pictures. The lowest package; no Qt."""
