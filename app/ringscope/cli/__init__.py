"""The command line: one module a verb, loaded when the verb is called.  Qt is imported only by verbs that open a window or draw."""
