"""Views of a result: text for people, JSON for machines, a patch for both."""
