"""The driver's side: PCI probe, split rings, a virtio-net driver as Linux's, a small IP stack, workloads.

It touches the device only through configuration space, BAR accesses, guest memory and interrupts (`hw.ports.GuestPorts`).
"""
