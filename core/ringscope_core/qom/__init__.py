"""QEMU's object model: types, classes, objects, properties, casts, the composition tree and errors."""
