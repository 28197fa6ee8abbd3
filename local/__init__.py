"""Programs for a developer's machine only; never deployed (.funcignore)."""
