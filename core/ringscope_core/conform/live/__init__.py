"""Random sequences of operations on a real QEMU and on our machine, compared; what differs is shrunk to its shortest form."""
