"""The gallery of edited views says which were left out and why, and what a person changed since."""

from PySide6.QtWidgets import QLabel

from widgets.edited_views import EditedView, EditedViews, overruled

VIEWS = (
    EditedView("images/a.jpg", 1.0, True),
    EditedView("images/b.jpg", 21.0, False, "It shows other shapes than the photo."),
    EditedView("images/c.jpg", 26.0, True, "Counts less: The edit hardly shows in it.", counts_less=True),
    EditedView("images/d.jpg", 18.0, False, "It shows other shapes than the photo."),
)


def shown(gallery):
    model = gallery.list.model()
    return [model.index(place, 0).data() for place in range(model.rowCount())]


def test_the_gallery_counts_reasons_and_keeps_what_was_just_decided_in_sight(qtbot):
    gallery = EditedViews()
    qtbot.addWidget(gallery)
    gallery.resize(900, 200)
    gallery.set_views(VIEWS, decided=VIEWS)
    words = gallery.findChild(QLabel, "edited_reason")
    assert words.text() == (
        "2: It shows other shapes than the photo  ·  1: Counts less: The edit hardly shows in it"
    )
    assert not gallery.apply.isEnabled()
    for name, expected in (("used", "ac"), ("doubtful", "c"), ("left out", "bd")):
        gallery.filter.setCurrentIndex(gallery.filter.findData(name))
        gallery.filter.activated.emit(0)
        assert shown(gallery) == [f"images/{letter}.jpg" for letter in expected]

    gallery.list.setCurrentIndex(gallery.list.model().index(0, 0))
    assert words.text().startswith("b.jpg  ·  It shows other shapes") and "21.0 % off" in words.text()
    with qtbot.waitSignal(gallery.overruled) as told:
        gallery.toggle()
    assert told.args == [[1], True]
    gallery.set_views(overruled(VIEWS, [1], True), decided=VIEWS)
    assert shown(gallery) == ["images/b.jpg", "images/d.jpg"], "it does not vanish under the pointer"
    assert gallery.apply.isEnabled() and "Your choice" in words.text()
    gallery.set_views(overruled(VIEWS, [1], True), decided=overruled(VIEWS, [1], True))
    assert not gallery.apply.isEnabled(), "the edit was made so"
