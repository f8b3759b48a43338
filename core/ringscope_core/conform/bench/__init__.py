"""Speed, side by side: the same prepared rings driven through a real QEMU's device and through ours."""
