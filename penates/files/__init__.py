"""Files that the operator's command reads, plans and edits."""
