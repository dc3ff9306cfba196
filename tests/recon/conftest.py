"""Networks with random weights, made once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny pipeline of diffusers by its name in tests.recon.diffusion.tiny_pipelines."""
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        from tests.recon.diffusion.tiny_pipelines import save_pipeline

        if name not in made:
            made[name] = save_pipeline(name, tmp_path_factory.mktemp(name))
        return made[name]

    return folder
