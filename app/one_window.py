"""One window a project: opening a project that is open already raises its window."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.manifest import is_project, manifest_path, read_raw
from recon.errors import ReconError

if TYPE_CHECKING:
    from app.main_window import MainWindow

_WAIT_MS = 500


def hand_over(paths: Sequence[Path], imports: Sequence[Path] = ()) -> bool:
    """Ask the window that has this project to come forward and take the files; False when there is none."""
    project = next((path for path in paths if is_project(path)), None)
    if project is None:
        return False
    try:
        name = _name(str(read_raw(manifest_path(project)).get("uuid")), manifest_path(project))
    except ReconError:
        return False  # The window will say what is wrong with it.
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_WAIT_MS):
        return False
    others = [str(path.absolute()) for path in (*paths, *imports) if path != project]
    socket.write(json.dumps(others).encode() + b"\n")
    return socket.waitForBytesWritten(_WAIT_MS) and socket.waitForDisconnected(_WAIT_MS)


class OneWindow(QObject):
    """Listens under the name of the open project."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        window.document.changed.connect(self._listen)
        self._listen()

    def _listen(self) -> None:
        """Be known by the project that is open, if it is ours."""
        document = self._window.document
        ours = document.path if document.path is not None and not document.is_read_only else None
        name = _name(document.uuid, ours) if ours is not None else ""
        if name == self._server.serverName():
            return
        self._server.close()
        if name:
            QLocalServer.removeServer(name)  # Of a program that was killed: the project's lock is ours.
            self._server.listen(name)

    def _take(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(lambda: self._read(socket))
        if socket.canReadLine():
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        """One line: the other files to open, as a JSON list."""
        if not socket.canReadLine():
            return
        line = bytes(socket.readLine().data())
        socket.disconnectFromServer()
        socket.deleteLater()
        window = self._window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.raise_()
        window.activateWindow()
        try:
            paths = [Path(str(name)) for name in json.loads(line)]
        except (ValueError, TypeError):
            return  # Not from us.
        if paths:
            window.files.read(paths)


def _name(uuid: str, manifest: Path) -> str:
    """Two copies of a project have one uuid, and lie in two places."""
    place = hashlib.blake2b(str(manifest.resolve()).encode(), digest_size=6).hexdigest()
    return f"isokiln-{uuid}-{place}"
