"""The command `ebm`: thin; each of its commands is a module, imported when called."""
