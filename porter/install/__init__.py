"""Put a ported wheel into an environment, in the place of upstream's release, and take it out."""
