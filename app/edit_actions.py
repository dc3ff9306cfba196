"""Entries of the action table for edits by words: ask, decide, compare, look back."""

from __future__ import annotations

from app.action_spec import ActionSpec, entry

EDIT_ACTIONS: tuple[ActionSpec, ...] = (
    entry("edit_prompt", "Edit by words…", "Edits", "edits.focus", keys=("Ctrl+Shift+W",), icon="wand-sparkles",
          needs=("editable",), words="prompt text instruction say describe recolour material"),
    entry("edit_earlier", "Earlier edits…", "Edits", "edits.show_history", icon="history", needs=("editable",),
          words="prompt history search seeds"),
    entry("edit_accept", "Accept the edit", "Edits", "pending.accept", keys=("Ctrl+Shift+Return",), icon="check",
          needs=("pending edit",), starts_section=True, words="keep version"),
    entry("edit_reject", "Reject the edit", "Edits", "pending.reject", keys=("Ctrl+Shift+Backspace",), icon="x",
          needs=("pending edit",), words="drop discard undo"),
    entry("edit_again", "Try another seed", "Edits", "pending.try_another_seed", icon="refresh-cw",
          needs=("pending edit with a seed",), words="again dice random variation"),
    entry("edit_refine", "Refine the edit", "Edits", "pending.refine", icon="pencil", needs=("pending edit",),
          words="change words prompt"),
    entry("compare_split", "Before and after", "Edits", "review.toggle_split", keys=("\\",), icon="git-compare",
          needs=("versions",), starts_section=True, words="split wiper compare versions"),
    entry("compare_peek", "Show what was before", "Edits", "review.peek", keys=("`",), icon="eye", needs=("versions",),
          tip="Show what was before, for as long as the key is held", words="peek original hold"),
    entry("compare_difference", "Show the difference", "Edits", "review.show_difference", icon="flame",
          needs=("versions",), words="heat map change compare"),
)  # fmt: skip
