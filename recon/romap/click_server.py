"""A process that keeps SAM 2 at hand while a person clicks: `python -m recon.romap.click_server NETWORK DEVICE`.

It reads requests from its standard input and writes answers to its standard output, one JSON object a line, and ends
with its input. NETWORK: an id of the table of networks, or a folder.

{"picture": FILE}                                  look at a picture (H, W, 3) uint8 in .npy, which takes long
{"id": 3, "clicks": [[x, y, is inside], …], "boxes": [[left, top, right, bottom], …]}   what is meant, in its pixels

It says {"state": "ready"} once the network is loaded, {"state": "seen"} after a picture, {"id": 3, "outline": [[x, y],
…]} for what is meant (empty for nothing), and {"error": {kind, sentence, advice, details}} where something fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.cues.models import find_model
from recon.errors import ReconError
from recon.failure import describe_failure
from recon.romap.mask_networks import ClickNetwork
from recon.romap.outlines import outline_of
from recon.run_request import choose_device

Say = Callable[[Mapping[str, Any]], None]


def meant(
    network: ClickNetwork,
    rgb: NDArray[np.float32],
    clicks: Sequence[Sequence[float]],
    boxes: Sequence[Sequence[float]],
) -> NDArray[np.bool_]:
    """(H, W) what clicks (x, y, inside) and boxes mean together: any of the boxes, or all clicks."""
    found = [network.in_box(rgb, np.array(box, np.float64)) for box in boxes]
    if any(click[2] for click in clicks):
        places = np.array([click[:2] for click in clicks], np.float64)
        found.append(network(rgb, places, [bool(click[2]) for click in clicks]))
    if not found:
        return np.zeros(rgb.shape[:2], bool)
    return np.asarray(np.max(found, 0) > 0.5)


def serve(name: str, device: str, requests: Iterable[str], say: Say) -> None:
    """Answer requests until there are no more."""
    try:
        network = ClickNetwork(find_model(name, "clicks")[0], choose_device(device))
    except Exception as error:
        _fail(error, say)
        return
    say({"state": "ready"})
    rgb: NDArray[np.float32] | None = None
    for line in requests:
        try:
            request = json.loads(line)
            if "picture" in request:
                rgb = np.load(Path(request["picture"]), allow_pickle=False).astype(np.float32) / 255
                network.look(rgb)
                say({"state": "seen"})
            elif rgb is not None:
                mask = meant(network, rgb, request["clicks"], request["boxes"])
                say({"id": request["id"], "outline": outline_of(mask).round(2).tolist()})
        except Exception as error:
            _fail(error, say)


def _fail(error: Exception, say: Say) -> None:
    told: ReconError = describe_failure(error)
    fields = {
        "kind": type(told).__name__,
        "sentence": told.sentence,
        "advice": told.advice,
        "details": told.details,
    }
    say({"error": fields})


def main() -> int:
    """Serve standard input and output; what libraries print goes to the standard error."""
    answers, sys.stdout = sys.stdout, sys.stderr

    def say(answer: Mapping[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    serve(sys.argv[1], sys.argv[2], sys.stdin, say)
    return 0


if __name__ == "__main__":
    sys.exit(main())
