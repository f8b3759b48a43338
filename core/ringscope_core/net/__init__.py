"""The network side of the machine: clients and their peers, queues between them, packets, and the backends of ``-netdev``."""
