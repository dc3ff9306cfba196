"""How the network that blends views is trained: procedural scenes, edits of them, and what 2D editors do wrong."""
