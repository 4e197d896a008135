"""Local methods: from where the starts are to the nearest minimum, one file each."""
