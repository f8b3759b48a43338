"""qdev: devices, buses, their static properties, and how a device is realized and goes away."""
