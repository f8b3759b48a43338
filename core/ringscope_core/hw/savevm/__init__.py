"""Save and load of a device's state, in a form of our own: versioned, explicit, little-endian; every value is checked before it counts."""
