"""A session, or a range of it, as other programs read it; and other programs' files as sessions."""
