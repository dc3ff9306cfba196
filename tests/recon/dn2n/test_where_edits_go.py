"""Which photos an edit takes, and where in them it goes."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_masks import masks_from_folder, masks_of_box
from recon.dn2n.editors import SceneView, make_editor
from recon.dn2n.editors.target_names import unnamed
from recon.dn2n.scene_views import SceneViews, chosen_photos
from recon.dn2n.target_masks import named_masks
from recon.errors import FormatError, InputError
from render.cameras import CameraSet
from render.images import ImageSet, PosedImages
from tests.stepping import finish


def make_posed(count=6):
    cameras = CameraSet(
        np.tile(np.eye(4), (count, 1, 1)),
        np.full((count, 2), 10.0),
        np.full((count, 2), 8.0),
        np.full((count, 2), 16),
    )
    return PosedImages(ImageSet("/", tuple(f"{i}.png" for i in range(count))), cameras)


def test_photos_are_chosen_by_name_among_those_that_are_switched_on():
    posed = replace(make_posed(), disabled=np.array([0, 1, 0, 0, 0, 0], bool))
    assert chosen_photos(posed, 1).tolist() == [0, 2, 3, 4, 5]
    assert chosen_photos(posed, 2).tolist() == [0, 3, 5]
    assert chosen_photos(posed, 1, ("1.png", "3.png", "5.png")).tolist() == [3, 5]
    with pytest.raises(InputError, match=r"7\.png"):
        chosen_photos(posed, 1, ("7.png",))


def test_a_box_limits_an_edit_to_what_lies_in_it():
    depths = np.full((1, 16, 16), 4.0, np.float32)
    depths[0, :8] = 0  # unknown
    depths[0, :, 12:] = 9.0  # behind the box
    views = DepthViews(make_posed(1).cameras, depths)
    box = np.diag([1.0, 1.0, 0.5, 1.0])
    box[2, 3] = 4.0
    mask = masks_of_box(box, views)[0].astype(bool)
    x = (np.arange(16) + 0.5 - 8) / 10 * 4
    wanted = (np.abs(x)[None] <= 1) & (np.abs(x)[:, None] <= 1)
    wanted[:8] = wanted[:, 12:] = False
    np.testing.assert_array_equal(mask, wanted)
    with pytest.raises(InputError, match="no box"):
        masks_of_box(None, views)
    box[2, 3] = 40.0
    with pytest.raises(InputError, match="Nothing"):
        masks_of_box(box, views)


def coloured_views(named, count=2):
    """Views of one flat grey surface with masks of things by name."""
    rgb, ones = np.full((16, 16, 3), 0.5, np.float32), np.ones((16, 16), np.float32)
    masks = {name: mask.astype(np.float32) for name, mask in named.items()}
    union = np.max(list(masks.values()), axis=0) if masks else ones
    return [
        SceneView(str(i), rgb, ones, union, np.eye(4), (16, 16), (8, 8), (0, -1, 0), masks)
        for i in range(count)
    ]


LEFT = np.arange(16) < 8
SIDES = {"sofa": np.tile(LEFT, (16, 1)), "stone_wall": np.tile(~LEFT, (16, 1))}


def test_each_word_finds_the_mask_of_its_name():
    editor = make_editor("procedural", "make the red sofa blue and the wall green")
    views = coloured_views(SIDES)
    editor.prepare(views, 0)
    picture = editor.edit(views[0], 0)
    assert (picture[:, :8, 2] > picture[:, :8, :2].max(-1) + 0.2).all()
    assert (picture[:, 8:, 1] > picture[:, 8:, ::2].max(-1) + 0.2).all()
    assert editor.plan.notes == ()


def test_what_no_mask_is_called_is_left_out_and_said():
    editor = make_editor("procedural", "make the sofa blue and the lamp green")
    views = coloured_views(SIDES)
    editor.prepare(views, 0)
    picture = editor.edit(views[0], 0)
    assert (picture[:, 8:] == 0.5).all() and np.ptp(picture[0, 0]) > 0.2
    assert editor.plan.operations == ("blue on the sofa",)
    assert "No mask is called “lamp”; there are “sofa” and “stone_wall”." in editor.plan.notes
    assert unnamed("couches and lamp", SIDES) == ["lamp"], "a couch is a sofa, and so are several"
    with pytest.raises(InputError, match="No mask is called “lamp”"):
        make_editor("procedural", "make the lamp green").prepare(views, 0)


def test_what_is_spared_stays_and_the_background_is_what_no_mask_shows():
    views = [replace(view, mask=np.ones((16, 16))) for view in coloured_views({"sofa": SIDES["sofa"]})]
    for prompt in ("everything but the sofa should be dark blue", "make the background dark blue"):
        editor = make_editor("procedural", prompt)
        editor.prepare(views, 0)
        picture = editor.edit(views[0], 0)
        assert (picture[:, :8] == 0.5).all() and (np.abs(picture[:, 8:] - 0.5).max(-1) > 0.1).all()


def test_several_things_without_masks_by_name_are_refused_with_advice():
    with pytest.raises(InputError, match="“sofa” and “wall”, and nothing says where") as refusal:
        make_editor("procedural", "make the sofa blue and the wall green").prepare(coloured_views({}), 0)
    assert "folder for each" in refusal.value.advice


def posed_views():
    return SceneViews(
        make_posed(2), make_posed(2).cameras, np.zeros((2, 16, 16, 3), np.uint8), np.zeros(2, bool)
    )


def test_masks_are_of_what_their_folder_or_their_number_is_called(tmp_path):
    views, white = posed_views(), np.full((16, 16), 255, np.uint8)
    for name, mask in SIDES.items():
        (tmp_path / "a" / name).mkdir(parents=True)
        Image.fromarray(white * mask).save(tmp_path / "a" / name / "0.png")
    (tmp_path / "b").mkdir()
    Image.fromarray(np.where(SIDES["sofa"], 3, 7).astype(np.uint8)).save(tmp_path / "b" / "0.png")
    (tmp_path / "b" / "labels.json").write_text('{"sofa": 3, "7": "stone_wall"}')
    for folder in (tmp_path / "a", tmp_path / "b"):
        found = finish(named_masks(folder, views))
        assert sorted(found) == ["sofa", "stone_wall"]
        for name, mask in SIDES.items():
            assert (found[name][0] == mask).all() and not found[name][1].any()
        wanted = finish(masks_from_folder(folder, views, "make the sofa blue"))
        assert (wanted[0] == SIDES["sofa"]).all()
        assert finish(masks_from_folder(folder, views, "the sofa is blue, at night")).all()
    (tmp_path / "b" / "labels.json").write_text("[1]")
    with pytest.raises(FormatError, match="which number means what"):
        finish(named_masks(tmp_path / "b", views))
