"""PCI: memory regions, configuration space, capabilities, BARs, MSI-X, INTx, the bus."""
