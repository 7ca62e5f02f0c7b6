"""One reader a format, from a file's bytes to its text."""

# Everything that can be ingested; scans of folders, uploads and help texts count on this list.
FORMATS = (".md", ".txt", ".html", ".htm", ".pdf", ".docx", ".csv", ".tsv", ".json", ".jsonl",
           ".ndjson", ".ipynb", ".pptx", ".xlsx", ".odt", ".epub", ".eml", ".rst")  # fmt: skip
