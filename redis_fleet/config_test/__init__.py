"""Files tried by the servers that will run them: which texts, and what their complaints mean for the description."""
