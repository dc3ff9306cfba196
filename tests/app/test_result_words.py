"""What is said of a result: its parts, holes, volume, agreement and contradictions."""

from dataclasses import replace

from app.layer_facts import facts_of
from app.layers import Origin, new_layer
from app.result_words import result_rows, summary
from render.frame import Frame
from tests.synthetic import TORUS, mesh_of

SOLID = {"components": 1, "genus": 1, "volume": 2.5, "area": 9.0, "watertight": True}


def plane(index, *, reached=True):
    return {
        "plane": index,
        "accuracy": 99.9,
        "iou": 0.99,
        "reached": reached,
        "why": "" if reached else "Thin.",
    }


def made(figures, name="Surface 1"):
    mesh = replace(mesh_of(TORUS, 24), frame=Frame("+Z", "mm"))
    return new_layer(name, mesh, origin=Origin("orex", figures=figures))


def test_a_result_tells_parts_holes_and_how_many_planes_agree():
    figures = {"solids": {"Label 1": SOLID}, "agreement": [plane(0), plane(1, reached=False), plane(2)]}
    rows = dict(result_rows(made(figures)))
    assert rows["Parts"] == "1" and rows["Genus"] == "1 through hole" and rows["Watertight"] == "yes"
    assert rows["Agreement"] == "2 of 3 planes; not 2"
    assert facts_of(made(figures)).result == tuple(rows.items())


def test_bridges_that_were_cut_are_told_and_nothing_is_said_where_none_were():
    figures = {"bridges": {"Bone": {"cut": 1, "filled": 0}, "Skin": {"cut": 1, "filled": 1}}}
    assert dict(result_rows(made(figures)))["No slice showed"] == "2 bridges cut, 1 pinhole filled"
    assert result_rows(made({"bridges": {"Bone": {"cut": 0, "filled": 0}}, "note": ""})) == []


def test_each_label_of_several_tells_its_own_figures():
    figures = {"solids": {"Bone": SOLID, "Skin": {**SOLID, "components": 3, "genus": 0}}}
    rows = dict(result_rows(made(figures, "Skin (Surface 1)")))
    assert rows["Parts"] == "3" and rows["Genus"] == "0, no through hole"


def test_planes_that_contradict_each_other_are_named_counted_from_one():
    pairs = [{"planes": [i, i + 1], "length": 0.1, "share": 0.2} for i in range(6)]
    assert dict(result_rows(made({"contradictions": pairs})))["Contradict"] == (
        "Planes 1 and 2, 2 and 3, 3 and 4, 4 and 5 and 2 more pairs, where they cross"
    )


def test_a_layer_without_a_run_says_nothing_of_a_result():
    assert result_rows(new_layer("Mesh", mesh_of(TORUS, 24))) == []
    assert result_rows(made({})) == []


def test_a_run_is_summed_up_in_one_line():
    assert summary({"solids": {"Label 1": SOLID}}, "mm") == "1 part, genus 1, volume 2.5 mm³"
    assert summary({"solids": {"A": SOLID, "B": SOLID}}) == "2 labels, 2 parts, genus 2, volume 5"
    assert summary({"hausdorff95": 0.125, "chamfer": 0.1}, "mm") == "95 % within 0.125 mm"
    assert summary({"note": ""}) == ""
