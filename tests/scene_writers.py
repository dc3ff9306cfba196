"""One posed scene written in every format that Isokiln reads, independently of the program's own writers."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.images import PosedImages
from render.lenses import LENS_MODELS
from render.transforms import Similarity3

Array = NDArray[np.float64]

WORLD_FROM_BOX = Similarity3(np.eye(3), np.array([0.3, -0.2, 1.1]), 2.7)


def write_pictures(posed: PosedImages, paths: list[Path]) -> None:
    """A grey picture of the right size each."""
    for path, (width, height) in zip(paths, posed.cameras.size.tolist(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height), (90, 120, 150)).save(path)


def intrinsics(posed: PosedImages, index: int, shift: float = 0.0) -> Array:
    """(3, 3) camera matrix; shift: added to the principal point."""
    (fx, fy), (cx, cy) = posed.cameras.focal[index], posed.cameras.center[index] + shift
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


def opengl_pose(posed: PosedImages, index: int) -> Array:
    """(4, 4) camera-to-world, y up and z backward."""
    return posed.cameras.world_from_cam[index] @ np.diag([1.0, -1, -1, 1])


def write_transforms(
    folder: Path, posed: PosedImages, *, per_frame: bool = False, with_size: bool = True
) -> Path:
    """nerfstudio's; k1 … of OPENCV or OPENCV_FISHEYE."""
    keys = {"OPENCV": ("k1", "k2", "p1", "p2"), "OPENCV_FISHEYE": ("k1", "k2", "k3", "k4"), "PINHOLE": ()}
    frames, common = [], {}
    for i, path in enumerate(posed.images.paths):
        (fx, fy), (cx, cy) = posed.cameras.focal[i].tolist(), posed.cameras.center[i].tolist()
        model = posed.lens_models[i]
        camera = {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, "camera_model": model}
        if with_size:
            camera.update(zip(("w", "h"), posed.cameras.size[i].tolist(), strict=True))
        camera.update(zip(keys[model], posed.lens_params[i].tolist(), strict=False))
        common = {} if per_frame else camera
        own = camera if per_frame else {}
        frames.append({"file_path": path, "transform_matrix": opengl_pose(posed, i).tolist(), **own})
    write_pictures(posed, [folder / path for path in posed.images.paths])
    file = folder / "transforms.json"
    file.write_text(json.dumps({**common, "frames": frames}))
    return file


def write_blender(folder: Path, posed: PosedImages) -> Path:
    """camera_angle_x alone, no endings, transforms_train.json; presumes centred square pixels."""
    width = int(posed.cameras.size[0, 0])
    angle = 2 * np.arctan(width / 2 / posed.cameras.focal[0, 0])
    frames = [
        {"file_path": "./" + path.removesuffix(".png"), "transform_matrix": opengl_pose(posed, i).tolist()}
        for i, path in enumerate(posed.images.paths)
    ]
    write_pictures(posed, [folder / path for path in posed.images.paths])
    file = folder / "transforms_train.json"
    file.write_text(json.dumps({"camera_angle_x": angle, "frames": frames}))
    return file


def write_meta_data(folder: Path, posed: PosedImages) -> Path:
    """sdfstudio's, in a box of its own."""
    box_from_world = WORLD_FROM_BOX.inverse
    cameras = posed.cameras.transformed(box_from_world)
    frames = []
    for i, path in enumerate(posed.images.paths):
        k = np.eye(4)
        k[:3, :3] = intrinsics(posed, i)
        pose = cameras.world_from_cam[i].tolist()
        frames.append({"rgb_path": path, "camtoworld": pose, "intrinsics": k.tolist()})
    width, height = posed.cameras.size[0].tolist()
    write_pictures(posed, [folder / path for path in posed.images.paths])
    value = {"camera_model": "OPENCV", "height": height, "width": width, "has_mono_prior": False,
             "worldtogt": WORLD_FROM_BOX.matrix.tolist(), "frames": frames}  # fmt: skip
    file = folder / "meta_data.json"
    file.write_text(json.dumps(value))
    return file


def write_monosdf(folder: Path, posed: PosedImages, *, scale: float = 1.0) -> Path:
    """cameras.npz with integer pixel centres and NNNNNN_rgb.png; scale: of world_mat as a whole."""
    values = {}
    for i in range(len(posed)):
        world_mat = np.eye(4)
        world_mat[:3] = intrinsics(posed, i, -0.5) @ posed.cameras.cam_from_world[i, :3] * scale
        values[f"world_mat_{i}"], values[f"scale_mat_{i}"] = world_mat, WORLD_FROM_BOX.matrix
    write_pictures(posed, [folder / f"{i:06d}_rgb.png" for i in range(len(posed))])
    np.savez(folder / "cameras.npz", **values)
    return folder / "cameras.npz"


def write_replica(folder: Path, posed: PosedImages) -> Path:
    """traj.txt, results/frame*.jpg, cam_params.json in the folder above."""
    rows = posed.cameras.world_from_cam.reshape(len(posed), 16)
    write_pictures(posed, [folder / f"results/frame{i:06d}.jpg" for i in range(len(posed))])
    (folder / "traj.txt").write_text("\n".join(" ".join(map(repr, row)) for row in rows.tolist()) + "\n")
    k = intrinsics(posed, 0, -0.5)
    width, height = posed.cameras.size[0].tolist()
    camera = {
        "w": width,
        "h": height,
        "fx": k[0, 0],
        "fy": k[1, 1],
        "cx": k[0, 2],
        "cy": k[1, 2],
        "scale": 6553.5,
    }
    (folder.parent / "cam_params.json").write_text(json.dumps({"camera": camera}))
    return folder


def write_scannet(folder: Path, posed: PosedImages) -> Path:
    """color, pose, intrinsic."""
    write_pictures(posed, [folder / f"color/{i}.jpg" for i in range(len(posed))])
    (folder / "pose").mkdir()
    (folder / "intrinsic").mkdir()
    for i, pose in enumerate(posed.cameras.world_from_cam):
        np.savetxt(folder / f"pose/{i}.txt", pose, fmt="%.17g")
    k = np.eye(4)
    k[:3, :3] = intrinsics(posed, 0)
    np.savetxt(folder / "intrinsic/intrinsic_color.txt", k, fmt="%.17g")
    return folder


def write_neural_rgbd(folder: Path, posed: PosedImages) -> Path:
    """images/img0.png, poses.txt, focal.txt; presumes centred square pixels."""
    write_pictures(posed, [folder / f"images/img{i}.png" for i in range(len(posed))])
    rows = np.concatenate([opengl_pose(posed, i) for i in range(len(posed))])
    np.savetxt(folder / "poses.txt", rows, fmt="%.17g")
    (folder / "focal.txt").write_text(f"{float(posed.cameras.focal[0, 0])!r}\n")
    return folder


def colmap_params(posed: PosedImages, index: int) -> list[float]:
    lens = LENS_MODELS[posed.lens_models[index]]
    focal = posed.cameras.focal[index, : lens.num_focals].tolist()
    return [
        *focal,
        *posed.cameras.center[index].tolist(),
        *posed.lens_params[index, : lens.num_params].tolist(),
    ]


def quat_of(rotation: Array) -> list[float]:
    """w, x, y, z by scipy."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    return [float(w), float(x), float(y), float(z)]


def write_colmap_text(folder: Path, posed: PosedImages, *, empty_lines: bool = True) -> Path:
    """sparse/0/*.txt, a camera for each image, without points; images in images/."""
    names = [Path(path).name for path in posed.images.paths]
    write_pictures(posed, [folder / "images" / name for name in names])
    model = folder / "sparse/0"
    model.mkdir(parents=True)
    cameras, images = ["# Camera list"], ["# Image list", "# of two lines"]
    for i, name in enumerate(names):
        width, height = posed.cameras.size[i].tolist()
        params = " ".join(map(repr, colmap_params(posed, i)))
        cameras.append(f"{i + 7} {posed.lens_models[i]} {width} {height} {params}")
        pose = posed.cameras.cam_from_world[i]
        numbers = " ".join(map(repr, [*quat_of(pose[:3, :3]), *pose[:3, 3].tolist()]))
        images.append(f"{i + 1} {numbers} {i + 7} {name}")
        images += [""] if empty_lines else []
    (model / "cameras.txt").write_text("\n".join(cameras) + "\n")
    (model / "images.txt").write_text("\n".join(images) + "\n")
    (model / "points3D.txt").write_text("# 3D point list\n")
    return folder


def write_colmap_binary(folder: Path, posed: PosedImages, place: str = "sparse/0") -> Path:
    """The same as binary, with the scene's points and tracks."""
    names = [Path(path).name for path in posed.images.paths]
    write_pictures(posed, [folder / "images" / name for name in names])
    model = folder / place
    model.mkdir(parents=True)
    cameras, images = struct.pack("<Q", len(names)), struct.pack("<Q", len(names))
    tracks: dict[int, list[int]] = {}
    for i, name in enumerate(names):
        width, height = posed.cameras.size[i].tolist()
        params = colmap_params(posed, i)
        cameras += struct.pack("<IiQQ", i + 7, LENS_MODELS[posed.lens_models[i]].colmap_id, width, height)
        cameras += struct.pack(f"<{len(params)}d", *params)
        pose = posed.cameras.cam_from_world[i]
        images += (
            struct.pack("<I7dI", i + 1, *quat_of(pose[:3, :3]), *pose[:3, 3], i + 7) + name.encode() + b"\0"
        )
        seen = posed.observations[posed.observations[:, 0] == i, 1].tolist()
        images += struct.pack("<Q", len(seen) + 1) + struct.pack("<ddq", 1.0, 2.0, -1)
        for place_in_image, point in enumerate(seen):
            images += struct.pack("<ddq", 3.0, 4.0, 10 * point + 3)
            tracks.setdefault(point, []).extend([i + 1, place_in_image + 1])
    (model / "cameras.bin").write_bytes(cameras)
    (model / "images.bin").write_bytes(images)
    (model / "points3D.bin").write_bytes(_points(posed, tracks))
    return folder


def _points(posed: PosedImages, tracks: dict[int, list[int]]) -> bytes:
    data = struct.pack("<Q", len(tracks))
    for point, track in sorted(tracks.items(), reverse=True):
        position, color = posed.points.points[point], posed.points.colors[point]
        data += struct.pack("<Q3d3Bd", 10 * point + 3, *position, *color, 0.5)
        data += struct.pack(f"<Q{len(track)}I", len(track) // 2, *track)
    return data


def centered(posed: PosedImages) -> PosedImages:
    """The scene with its principal points in the middle, for formats that cannot say otherwise."""
    cameras = posed.cameras
    return replace(
        posed, cameras=type(cameras)(cameras.cam_from_world, cameras.focal, cameras.size / 2, cameras.size)
    )


WRITERS: dict[str, Callable[[Path, PosedImages], Path]] = {
    "transforms": write_transforms,
    "transforms, per frame": lambda folder, posed: write_transforms(folder, posed, per_frame=True),
    "transforms, no size": lambda folder, posed: write_transforms(folder, posed, with_size=False),
    "meta_data": write_meta_data,
    "monosdf": write_monosdf,
    "monosdf, scaled": lambda folder, posed: write_monosdf(folder, posed, scale=-3.7),
    "replica": write_replica,
    "scannet": write_scannet,
    "colmap text": write_colmap_text,
    "colmap text, one line each": lambda folder, posed: write_colmap_text(folder, posed, empty_lines=False),
    "colmap binary": write_colmap_binary,
    "colmap in colmap/sparse": lambda folder, posed: write_colmap_binary(folder, posed, "colmap/sparse/0"),
    "colmap in sparse": lambda folder, posed: write_colmap_binary(folder, posed, "sparse"),
}
CENTERED_WRITERS = {"blender": write_blender, "neural_rgbd": write_neural_rgbd}
