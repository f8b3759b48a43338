"""What a recording says, in words and in answers: decoding, names, the filter language, searches in time."""
