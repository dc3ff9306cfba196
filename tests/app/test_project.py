"""The one undoable edit."""

import numpy as np
import pytest

from app import project as project_module
from app.layers import Missing, changed, new_layer
from app.project import Project
from render.frame import Frame
from render.mesh import TriangleMesh


def triangle(x: float = 0.0, copies: int = 1) -> TriangleMesh:
    vertices = np.tile(np.array([[x, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32), (copies, 1))
    return TriangleMesh(vertices, np.arange(3 * copies).reshape(-1, 3))


def names(project: Project) -> list[str]:
    return [layer.name for layer in project.layers]


def test_undo_and_redo_restore_the_very_same_layers(qapp):
    project = Project()
    layer = new_layer("Bone", triangle())
    project.edit("Import bone", [layer])
    project.edit("Rename layer", changed(project.layers, layer.id, name="Femur"))
    project.edit("Delete layer", [])
    project.undo_stack.undo()
    assert names(project) == ["Femur"] and project.layers[0].data is layer.data
    project.undo_stack.undo()
    project.undo_stack.undo()
    assert project.layers == ()
    for _ in range(3):
        project.undo_stack.redo()
    assert project.layers == ()
    texts = [project.undo_stack.text(i) for i in range(3)]
    assert texts == ["Import bone", "Rename layer", "Delete layer"]


def test_a_dragged_slider_is_one_undo_step(qapp):
    project = Project()
    layer = new_layer("Bone", triangle())
    project.edit("Import", [layer])
    for opacity in (0.9, 0.5, 0.2):
        project.edit(
            "Opacity", changed(project.layers, layer.id, style={"opacity": opacity}), merge_key="opacity"
        )
    assert project.undo_stack.count() == 2
    assert project.layers[0].style == {"opacity": 0.2}
    project.undo_stack.undo()
    assert project.layers[0].style == {}
    project.undo_stack.redo()
    assert project.layers[0].style == {"opacity": 0.2}


def test_visibility_is_no_undo_step_and_undo_does_not_change_it(qapp):
    project = Project()
    layer = new_layer("Bone", triangle())
    project.edit("Import", [layer])
    project.edit("Rename", changed(project.layers, layer.id, name="Femur"))
    project.set_visible([layer.id], False)
    project.undo_stack.undo()
    assert names(project) == ["Bone"] and not project.is_visible(layer.id)
    assert project.undo_stack.count() == 2


def test_the_frame_is_undone_with_the_layers(qapp):
    project = Project()
    project.edit("Set unit", project.layers, frame=Frame("+Y", "mm"))
    assert project.frame.unit == "mm"
    project.undo_stack.undo()
    assert project.frame == Frame()


def test_old_steps_wait_on_the_disk_when_the_undo_stack_is_over_its_budget(qapp, tmp_path, monkeypatch):
    monkeypatch.setattr(project_module, "UNDO_BUDGET_BYTES", 3_000)
    project = Project(spill_folder=tmp_path)
    first = new_layer("Mesh", triangle(0.0, copies=40))
    project.edit("Import", [first])
    for x in range(1, 6):
        project.edit(f"Move {x}", changed(project.layers, first.id, data=triangle(x, copies=40)))
    assert project.undo_bytes <= 3_000
    assert list(tmp_path.glob("*.npz"))
    for x in (4, 3, 2, 1):
        project.undo_stack.undo()
        data = project.layers[0].data
        assert isinstance(data, TriangleMesh) and data.vertices[0, 0] == x
    project.undo_stack.undo()
    data = project.layers[0].data
    assert not isinstance(data, Missing) and np.array_equal(data.vertices, first.data.vertices)
    for _ in range(5):
        project.undo_stack.redo()
    assert project.layers[0].data.vertices[0, 0] == 5


@pytest.mark.parametrize("num_edits", [1, 5])
def test_unchanged_data_is_counted_once_and_never_against_the_budget(qapp, num_edits):
    project = Project()
    layer = new_layer("Mesh", triangle(copies=100))
    project.edit("Import", [layer])
    for i in range(num_edits):
        project.edit("Rename", changed(project.layers, layer.id, name=f"Mesh {i}"))
    assert project.undo_bytes == 0
