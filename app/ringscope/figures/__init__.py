"""Views as pictures, without a window: for documentation, for the tour, for the golden tests."""
