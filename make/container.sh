#!/bin/sh
# What the container does: the exported encoder into the volume, the documents into the index, and
# the server in this process. The chat model's weights are fetched while it already serves quotes.
set -eu
mkdir -p "$KB_HOME/weights"
cp -a /usr/share/weighbridge/weights/. "$KB_HOME/weights/"
kb ingest "$KB_CORPUS" || test $? -eq 1 # 1: some files were left out, and named
exec kb serve
