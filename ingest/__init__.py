"""From the outside world to stored facts."""
