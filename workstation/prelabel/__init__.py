"""Model families: media in, proposals out; never writes to the store."""
