"""What a figure is made of, one kind of panel a file; each draws on the axes that it is given."""
