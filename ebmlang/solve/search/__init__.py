"""Global methods: where to descend from next, given what has been found, one file each."""
