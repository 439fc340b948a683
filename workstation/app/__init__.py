"""The session and its services, without Qt: what the window and the command line both hold."""
