"""The one table of file formats: the dialogs, the command line and the drop target are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recon.formats import scene_sniffing, splat_sniffing


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magics)


def _is_csl(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:4] == b"CSLC"


def is_dicom(head: bytes) -> bool:
    """Whether a file's first bytes are of DICOM."""
    return head[128:132] == b"DICM"


def _is_contour_json(head: bytes) -> bool:
    return b"isokiln.contours" in head and head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def _is_nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] == b"n+2\0"


def _never(head: bytes) -> bool:
    return False


@dataclass(frozen=True)
class FileKind:
    """One file format.

    suffixes: lower case with the point, the usual one first. data: its kind of scene data, None where any.
    is_known_by: whether a file's first bytes can be nothing else. module: what reads and writes it.
    Files of several kinds may have the same suffix where their bytes tell them apart.
    uses_options: whether reading takes ReadOptions; needs_spacing: whether it cannot do without a spacing.
    names: what files of a format are called that has no ending of its own. also: other kinds of data it holds.
    """

    id: str
    title: str
    suffixes: tuple[str, ...]
    data: str | None
    module: str
    is_known_by: Callable[[bytes], bool] = _never
    is_readable: bool = True
    is_writable: bool = True
    uses_options: bool = False
    needs_spacing: bool = False
    names: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """What its files are called, as in a file dialog: "*.csl", or "transforms.json"."""
        return tuple(f"*{suffix}" for suffix in self.suffixes) + self.names

    def is_named(self, name: str) -> bool:
        """Whether a file of this name is of this format, whatever its ending says."""
        return name.lower() in (each.lower() for each in self.names)

    def holds(self, data: str) -> bool:
        """Whether the format is for this kind of scene data."""
        return self.data in (None, data) or data in self.also


_VOLUME = "recon.formats.volume"
_MESH = "recon.formats.mesh"

FILE_KINDS: tuple[FileKind, ...] = (
    FileKind("csl", "Contours (CSL)", (".csl",), "cross_sections", "recon.formats.csl", _is_csl, uses_options=True),
    FileKind("contours", "Contours (JSON)", (".json",), "cross_sections", "recon.formats.contour_json", _is_contour_json,
             uses_options=True),
    FileKind("nifti", "Label volume (NIfTI)", (".nii", ".nii.gz"), "cross_sections", _VOLUME, _is_nifti,
             is_writable=False, uses_options=True),
    FileKind("nrrd", "Label volume (NRRD)", (".nrrd", ".nhdr"), "cross_sections", _VOLUME, _starts(b"NRRD0"),
             is_writable=False, uses_options=True),
    FileKind("metaimage", "Label volume (MetaImage)", (".mha", ".mhd"), "cross_sections", _VOLUME,
             _starts(b"ObjectType = Image", b"NDims = "), is_writable=False, uses_options=True),
    FileKind("dicom", "Contours or segments (DICOM)", (".dcm",), "cross_sections", "recon.formats.dicom", is_dicom,
             is_writable=False, uses_options=True),
    FileKind("masks", "Masks (PNG, TIFF)", (".png", ".tif", ".tiff"), "cross_sections", "recon.formats.mask_stack",
             _starts(b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*"), is_writable=False, uses_options=True,
             needs_spacing=True),
    FileKind("ply", "Mesh (PLY)", (".ply",), "mesh", _MESH, splat_sniffing.is_other_ply, uses_options=True,
             also=("points",)),
    FileKind("obj", "Mesh (OBJ)", (".obj",), "mesh", _MESH, uses_options=True),
    FileKind("stl", "Mesh (STL)", (".stl",), "mesh", _MESH, uses_options=True),
    FileKind("glb", "Mesh (GLB)", (".glb",), "mesh", _MESH, splat_sniffing.is_mesh_glb, uses_options=True),
    FileKind("gltf", "Mesh (glTF)", (".gltf",), "mesh", _MESH, is_writable=False, uses_options=True),
    FileKind("3mf", "Mesh (3MF)", (".3mf",), "mesh", _MESH, uses_options=True),
    FileKind("splats", "Splats (PLY)", (".ply",), "gaussians", "recon.formats.gaussian_ply", splat_sniffing.is_splat_ply,
             uses_options=True),
    FileKind("compressed_splats", "Compressed splats (PLY)", (".compressed.ply",), "gaussians",
             "recon.formats.gaussian_compressed_ply", splat_sniffing.is_compressed_ply, uses_options=True),
    FileKind("spz", "Splats (SPZ)", (".spz",), "gaussians", "recon.formats.spz", splat_sniffing.is_spz,
             uses_options=True),
    FileKind("splat", "Splats (SPLAT)", (".splat",), "gaussians", "recon.formats.splat_file", uses_options=True),
    FileKind("splats_glb", "Splats (GLB)", (".glb",), "gaussians", "recon.formats.gaussian_gltf",
             splat_sniffing.is_splat_glb, uses_options=True),
    FileKind("splats_gltf", "Splats (glTF)", (".gltf",), "gaussians", "recon.formats.gaussian_gltf",
             splat_sniffing.is_splat_gltf, is_writable=False, uses_options=True),
    FileKind("sog", "Splats (SOG)", (".sog",), "gaussians", "recon.formats.sog", splat_sniffing.is_sog,
             is_writable=False, uses_options=True),
    FileKind("ksplat", "Splats (KSPLAT)", (".ksplat",), "gaussians", "recon.formats.ksplat", is_writable=False,
             uses_options=True),
    FileKind("transforms", "Posed photos (transforms.json)", (), "posed_images", "recon.formats.transforms",
             scene_sniffing.is_transforms, uses_options=True, names=scene_sniffing.TRANSFORMS),
    FileKind("sdfstudio", "Posed photos (sdfstudio)", (), "posed_images", "recon.formats.sdfstudio",
             scene_sniffing.is_meta_data, is_writable=False, uses_options=True, names=scene_sniffing.META_DATA),
    FileKind("monosdf", "Posed photos (MonoSDF)", (), "posed_images", "recon.formats.monosdf", is_writable=False,
             uses_options=True, names=scene_sniffing.CAMERA_ARCHIVES),
    FileKind("colmap", "Posed photos (COLMAP)", (), "posed_images", "recon.formats.colmap", uses_options=True,
             names=scene_sniffing.COLMAP_FILES),
    FileKind("replica", "Posed photos (Replica)", (), "posed_images", "recon.formats.replica", is_writable=False,
             uses_options=True, names=("traj.txt",)),
    FileKind("scannet", "Posed photos (ScanNet)", (), "posed_images", "recon.formats.scannet", is_writable=False,
             uses_options=True, names=("intrinsic_color.txt",)),
    FileKind("neural_rgbd", "Posed photos (Neural RGB-D)", (), "posed_images", "recon.formats.neural_rgbd",
             is_writable=False, uses_options=True, names=scene_sniffing.POSE_LISTS),
    FileKind("photos", "Photos", scene_sniffing.PHOTOS, "images", "recon.formats.image_folder", is_writable=False,
             uses_options=True),
    FileKind("video", "Video", scene_sniffing.VIDEOS, "images", "recon.formats.image_folder", is_writable=False,
             uses_options=True),
    FileKind("native", "Scene data (Isokiln)", (".npz",), None, "recon.formats.native"),
)  # fmt: skip
