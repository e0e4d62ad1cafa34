"""A black-box contract suite for three image-generation APIs: it knows HTTP and the documents, and nothing else."""
