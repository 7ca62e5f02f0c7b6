"""Knowledge about documents, passages, evidence and models; no HTTP, no file parsing."""
