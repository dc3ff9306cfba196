"""The binding to Qt itself, where a release of it was found broken."""

import sys

import pytest
from PySide6.QtGui import QAction


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None counts no references there")
def test_calls_that_return_nothing_take_no_reference_from_none(qapp):
    action = QAction("x")
    before = sys.getrefcount(None)
    for _ in range(1000):
        action.setEnabled(True)
    assert abs(sys.getrefcount(None) - before) < 100
