"""From stored facts to a human being told."""
