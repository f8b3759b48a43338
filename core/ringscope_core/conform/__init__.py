"""The proof: cases observed on a real QEMU, replayed on our machine and compared field by field."""
