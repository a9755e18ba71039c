"""`crm-warehouse explain`: why a figure is what it is, in sentences, down to the files behind it."""
