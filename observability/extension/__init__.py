"""The companion extension, seen from here: its layers, and how people get it into their functions."""
