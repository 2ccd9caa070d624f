"""From a release, a recipe and a result to a ported wheel."""
