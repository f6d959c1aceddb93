"""What a configuration that is not saved yet would have done with the requests of the
last days: replayed from facts and token counts, without a text and without a call."""
