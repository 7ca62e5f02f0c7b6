"""What is stored, so that anyone can check a citation."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import KB
from api.schemas import DocumentDetailOut, DocumentOut, DocumentsOut, KeptOut, RevisionOut
from kb.catalog import Catalog, Listed
from kb.errors import DocumentNotFound, RevisionNotFound

router = APIRouter(tags=["documents"])


@router.get("/v1/documents", summary="List the documents")
def documents(kb: KB) -> DocumentsOut:
    """The documents of the current corpus version."""
    version = kb.catalog.current_version()
    listed = [DocumentOut.model_validate(one) for one in kb.catalog.documents(version)]
    return DocumentsOut(corpus_version=version, documents=listed)


@router.get("/v1/documents/{document_id}", summary="One document and its revisions")
def document(document_id: str, kb: KB) -> DocumentDetailOut:
    """As the newest corpus version that holds it has it; with all kept revisions, oldest first."""
    kept = kb.catalog.revisions_of(document_id)
    newest = kept[-1][1]
    listed = DocumentOut.model_validate(_listed(kb.catalog, document_id, newest))
    revisions = [
        KeptOut(revision=revision, since_version=since, until_version=until)
        for revision, since, until in kept
    ]
    return DocumentDetailOut(**listed.model_dump(), revisions=revisions)


@router.get("/v1/documents/{document_id}/revisions/{revision}", summary="A stored text")
def revision(document_id: str, revision: str, kb: KB) -> RevisionOut:
    """The exact text that citations of this revision count their offsets in."""
    kept = [name for name, _, _ in kb.catalog.revisions_of(document_id)]
    if revision not in kept:
        raise RevisionNotFound(
            f"no revision {revision!r} of {document_id!r}; GET /v1/documents/{document_id} "
            "lists what is kept"
        )
    stored = kb.catalog.document(document_id, revision)
    return RevisionOut(
        document_id=stored.id,
        revision=stored.revision,
        title=stored.title,
        publisher=stored.publisher,
        uri=stored.uri,
        as_of=stored.as_of,
        text=stored.text,
        newer_revision=None if kept[-1] == revision else kept[-1],
    )


def _listed(catalog: Catalog, document_id: str, version: int) -> Listed:
    for one in catalog.documents(version):
        if one.source.document_id == document_id:
            return one
    raise DocumentNotFound(f"document {document_id!r} has just been removed")
