"""The project folder and its database: the only code that touches the disk format."""
