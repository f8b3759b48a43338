"""Ringscope's application: the window, its views, and the command line.  Qt is imported only where a window is opened."""
