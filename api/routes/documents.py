"""What is stored, so that anyone can check a citation; and one document put in or taken out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from api.corpus import CountedOut, DocumentIn, ReceiptOut, StoredOut
from api.deps import KB, JsonOnly, Streaming
from api.schemas import DocumentDetailOut, DocumentOut, DocumentsOut, KeptOut, LostOut, RevisionOut
from ingest.pipeline import Pipeline
from ingest.plan import Plan
from ingest.sent import item_of, sent
from kb.catalog import Catalog, Listed
from kb.changed import difference
from kb.errors import DocumentNotFound, RevisionNotFound
from kb.types import Document
from kb.upkeep import WAIT_SECONDS

router = APIRouter(tags=["documents"])

ONE = "/v1/documents/"  # and an id
NewId = Annotated[
    str,
    Path(
        max_length=300,
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._~-]*$",
        description="Letters, digits and `-._~`, not beginning with a dot or tilde.",
    ),
]
# True of every replica: what one remembers is looked up in the catalog before it is used.
ERASED = "gone from every corpus version, also the earlier ones that are kept, and from every index"
REMAINS = "something of it is still there, as `left` says: run kb doctor --repair"


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
    reading = kb.catalog.document(document_id, kept[-1][0]).reading
    revisions = [
        KeptOut(revision=revision, since_version=since, until_version=until)
        for revision, since, until in kept
    ]
    lost = [LostOut.model_validate(one) for one in reading.lost]
    return DocumentDetailOut(
        **listed.model_dump(), revisions=revisions, lost=lost, notes=[*reading.notes]
    )


@router.get("/v1/documents/{document_id}/revisions/{revision}", summary="A stored text")
def revision(
    document_id: str,
    revision: str,
    kb: KB,
    diff: bool = Query(False, description="With what the newest revision changed."),
) -> RevisionOut:
    """The exact text that citations of this revision count their offsets in."""
    kept = [name for name, _, _ in kb.catalog.revisions_of(document_id)]
    if revision not in kept:
        raise RevisionNotFound(
            f"no revision {revision!r} of {document_id!r}; GET /v1/documents/{document_id} "
            "lists what is kept"
        )
    stored = kb.catalog.document(document_id, revision)
    newer = None if kept[-1] == revision else kept[-1]
    return RevisionOut(
        document_id=stored.id,
        revision=stored.revision,
        title=stored.title,
        publisher=stored.publisher,
        uri=stored.uri,
        as_of=stored.as_of,
        text=stored.text,
        newer_revision=newer,
        diff=_difference(kb.catalog, stored, newer) if diff and newer else None,
    )


@router.put(
    ONE + "{document_id}",
    dependencies=[JsonOnly],
    responses={201: {"model": StoredOut, "description": "It is new."}},
    summary="Put in or replace a document",
)
def put_document(document_id: NewId, body: DocumentIn, kb: KB, response: Response) -> StoredOut:
    """Answers when the document is current. A document of the corpus folder that is put here is
    what the folder has again after the next ingest of it. Where keys are asked for, one with the
    scope `ingest`."""
    largest = kb.settings.file_mb * 1_000_000
    document = sent(document_id, body.uri, body.media_type, body.data, largest)
    pipeline = Pipeline.of(kb)
    report = pipeline.carry_out([item_of(document)], [], wait_seconds=WAIT_SECONDS)
    outcome = _outcome(report.plan)
    response.status_code = 201 if outcome == "added" else 200
    return StoredOut(
        document_id=document.id,
        revision=document.revision,
        outcome=outcome,
        corpus_version=report.version,
        passages=report.passages,
        embedded=report.embedded,
    )


@router.delete(ONE + "{document_id}", summary="Delete a document")
def delete_document(document_id: str, kb: KB, streams: Streaming) -> ReceiptOut:
    """Removes it from every corpus version, also the earlier ones that are kept, with its vectors,
    its full-text rows and every stored answer that quotes it. A file in the corpus folder stays
    there, and the next ingest of that folder would put it in again. Where keys are asked for,
    one with the scope `ingest`."""
    receipt = kb.upkeep.delete(document_id)
    streams.forget()
    return ReceiptOut(
        document_id=document_id,
        corpus_version=receipt.version,
        removed=CountedOut.model_validate(receipt.removed),
        left=CountedOut.model_validate(receipt.left),
        detail=ERASED if receipt.left.nothing else REMAINS,
    )


def _difference(catalog: Catalog, stored: Document, newer: str) -> str | None:
    text = catalog.document(stored.id, newer).text
    return difference(stored.text, text, (stored.revision, newer))


def _outcome(plan: Plan) -> Literal["added", "replaced", "unchanged"]:
    if plan.add:
        return "added"
    return "replaced" if plan.replace else "unchanged"


def _listed(catalog: Catalog, document_id: str, version: int) -> Listed:
    for one in catalog.documents(version):
        if one.source.document_id == document_id:
            return one
    raise DocumentNotFound(f"document {document_id!r} has just been removed")
